using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>Events 201x: managed passwords. Versions and times are logged; passwords and keys never are.</summary>
internal static partial class ManagedPasswordLog
{
    [LoggerMessage(2011, LogLevel.Information, "The managed password of {Account} was read (version {Version}). "
        + "It is read again in {NextRead}")]
    public static partial void Read(ILogger logger, string account, long version, string nextRead);

    [LoggerMessage(2012, LogLevel.Warning, "The managed password of {Account} cannot be read. "
        + "The last one stays in use. Reason: {Reason}")]
    public static partial void ReadFailed(ILogger logger, string account, string reason);

    [LoggerMessage(2013, LogLevel.Warning, "The KDC rejected the {Rejected} managed password of {Account}. The {Tried} one is tried, "
        + "because a change may not have reached every KDC yet")]
    public static partial void OtherTried(ILogger logger, string account, string rejected, string tried);
}
