using Microsoft.Extensions.Logging;

namespace KcdDelegation.DirectoryServices.Client;

/// <summary>Events 70xx: the directory.</summary>
internal static partial class DirectoryLog
{
    [LoggerMessage(7001, LogLevel.Warning, "The directory server {Server} does not answer, or its answer is not valid. "
        + "The next server is asked. Reason: {Reason}")]
    public static partial void ServerFailed(ILogger logger, string server, string reason);

    [LoggerMessage(7002, LogLevel.Debug, "An idle connection to {Server} was lost; the search is sent again. Reason: {Reason}")]
    public static partial void ConnectionLost(ILogger logger, string server, string reason);

    [LoggerMessage(7003, LogLevel.Debug, "{Server} referred to other servers, and referrals are not followed; number of "
        + "referrals: {Count}")]
    public static partial void ReferencesIgnored(ILogger logger, string server, int count);

    [LoggerMessage(7004, LogLevel.Warning, "The directory cannot be asked for an account, which is taken from the cache ({Age} old). "
        + "Reason: {Reason}")]
    public static partial void AccountFromCache(ILogger logger, TimeSpan age, string reason);
}
