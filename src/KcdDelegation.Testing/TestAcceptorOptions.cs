namespace KcdDelegation.Testing;

/// <summary>How strict a <see cref="TestAcceptor"/> is. Read once by its constructor.</summary>
public sealed record TestAcceptorOptions
{
    /// <summary>Framings that are accepted.</summary>
    public TestTokenFormats Formats { get; init; } = TestTokenFormats.Both;

    /// <summary>What is answered to a client that asks for mutual authentication.</summary>
    public TestMutualReply MutualReply { get; init; } = TestMutualReply.Proof;

    /// <summary>Whether tokens without channel binding are accepted where the channel has one. Those with a wrong one never are.</summary>
    public TestChannelBinding ChannelBinding { get; init; } = TestChannelBinding.IfSent;
}

/// <summary>The answer to a client that asks for mutual authentication.</summary>
public enum TestMutualReply
{
    /// <summary>An AP-REP, as is due.</summary>
    Proof,

    /// <summary>Nothing, as from a server that does not care.</summary>
    None,

    /// <summary>An AP-REP with another key: an impostor's.</summary>
    Forged,

    /// <summary>An AP-REP to another request.</summary>
    Stale,
}
