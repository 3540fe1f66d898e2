namespace KcdDelegation.Testing;

/// <summary>The settings of a <see cref="TestAcceptor"/>. Read once by its constructor.</summary>
public sealed record TestAcceptorOptions
{
    /// <summary>Gets the framings that are accepted.</summary>
    public TestTokenFormats Formats { get; init; } = TestTokenFormats.Both;

    /// <summary>Gets the answer to a client that requests mutual authentication.</summary>
    public TestMutualReply MutualReply { get; init; } = TestMutualReply.Proof;

    /// <summary>Gets whether tokens without channel binding are accepted on a channel that supports it. A wrong binding is always
    /// refused.</summary>
    public TestChannelBinding ChannelBinding { get; init; } = TestChannelBinding.IfSent;
}

/// <summary>The answers to a client that requests mutual authentication.</summary>
public enum TestMutualReply
{
    /// <summary>A correct AP-REP.</summary>
    Proof,

    /// <summary>No AP-REP.</summary>
    None,

    /// <summary>An AP-REP under another key.</summary>
    Forged,

    /// <summary>An AP-REP to another request.</summary>
    Stale,
}
