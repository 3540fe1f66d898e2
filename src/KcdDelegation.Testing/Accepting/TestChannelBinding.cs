namespace KcdDelegation.Testing;

/// <summary>What is asked of channel binding (RFC 5929) where the channel has one.</summary>
public enum TestChannelBinding
{
    /// <summary>Checked where it was sent.</summary>
    IfSent,

    /// <summary>A token without is refused, as by Extended Protection set to "require".</summary>
    Required,
}
