using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>The events of the account's key files, 20xx. Paths and key versions are logged, keys never.</summary>
internal static partial class KeyFileLog
{
    [LoggerMessage(2001, LogLevel.Debug, "The keys of {Account} were read from {Path} (version {Version})")]
    public static partial void KeyFileRead(ILogger logger, string path, string account, long version);

    [LoggerMessage(2002, LogLevel.Warning, "The key file {Path} changed but cannot be used, the keys read before stay in use: {Reason}")]
    public static partial void KeyFileKept(ILogger logger, string path, string reason);

    [LoggerMessage(2003, LogLevel.Warning, "The key file {Path} can be read or changed by others (mode {Mode}): whoever reads it can act as the account. Make it 0600")]
    public static partial void KeyFileOpenToOthers(ILogger logger, string path, string mode);
}
