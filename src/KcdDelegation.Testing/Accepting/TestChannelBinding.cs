namespace KcdDelegation.Testing;

/// <summary>The requirement for channel binding (RFC 5929) on channels that support it.</summary>
public enum TestChannelBinding
{
    /// <summary>A binding is checked if the client sends one.</summary>
    IfSent,

    /// <summary>A token without a binding is refused, as with Extended Protection set to "require".</summary>
    Required,
}
