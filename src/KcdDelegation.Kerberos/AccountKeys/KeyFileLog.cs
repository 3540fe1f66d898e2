using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>Events 20xx: the account's key files. Paths and key versions are logged; keys never are.</summary>
internal static partial class KeyFileLog
{
    [LoggerMessage(2001, LogLevel.Debug, "The keys of {Account} were read from {Path} (version {Version})")]
    public static partial void KeyFileRead(ILogger logger, string path, string account, long version);

    [LoggerMessage(2002, LogLevel.Warning, "The key file {Path} changed but cannot be used. "
        + "The previous keys stay in use. Reason: {Reason}")]
    public static partial void KeyFileKept(ILogger logger, string path, string reason);

    [LoggerMessage(2003, LogLevel.Warning, "The key file {Path} can be read or changed by other users (mode {Mode}). "
        + "Everyone who can read it can act as the account. Set its mode to 0600")]
    public static partial void KeyFileOpenToOthers(ILogger logger, string path, string mode);
}
