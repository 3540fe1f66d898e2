using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The log messages about sessions. They contain no user names, no references and no tokens.</summary>
internal static partial class SessionLog
{
    public const string Category = "KcdDelegation.Gateway.Sessions";

    [LoggerMessage(6060, LogLevel.Warning, "The session file {File} is not used: {Cause}. Its user has to sign in again")]
    public static partial void SessionUnreadable(ILogger logger, string file, string cause);

    [LoggerMessage(6061, LogLevel.Error, "A sign-in was refused, because there are {Limit} sessions, the limit of Sessions:MaxSessions. "
        + "Raise the limit, or reduce Sessions:IdleLife")]
    public static partial void SessionLimitReached(ILogger logger, int limit);

    [LoggerMessage(6062, LogLevel.Debug, "Sessions that have ended were removed; number of sessions: {Count}")]
    public static partial void SessionsExpired(ILogger logger, int count);

    [LoggerMessage(6063, LogLevel.Information, "The tokens of a session of the provider {Provider} were refreshed")]
    public static partial void TokensRefreshed(ILogger logger, string provider);

    [LoggerMessage(6064, LogLevel.Warning, "The provider {Provider} refused to refresh the tokens of a session ({Cause}); the session has "
        + "ended")]
    public static partial void RefreshRefused(ILogger logger, string provider, string cause);

    [LoggerMessage(6065, LogLevel.Warning, "The tokens of a session of the provider {Provider} could not be refreshed ({Cause}); the "
        + "session is used until its tokens end")]
    public static partial void RefreshFailed(ILogger logger, string provider, string cause);

    [LoggerMessage(6066, LogLevel.Error, "The sessions could not be cleaned up ({Cause}); the next attempt follows in 15 seconds")]
    public static partial void CleanupFailed(ILogger logger, string cause);

    [LoggerMessage(6068, LogLevel.Error, "The file of the ended session {File} cannot be deleted ({Cause}). The session is not used until "
        + "the gateway is restarted. Check the rights and the disk of the folder of State")]
    public static partial void SessionNotDeleted(ILogger logger, string file, string cause);
}
