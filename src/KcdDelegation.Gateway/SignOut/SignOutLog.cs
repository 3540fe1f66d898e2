using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.SignOut;

/// <summary>The log messages of the sign-out. They contain no user names and no tokens.</summary>
internal static partial class SignOutLog
{
    public const string Category = "KcdDelegation.Gateway.SignOut";

    [LoggerMessage(6070, LogLevel.Information, "A user of the provider {Provider} signed out at {Application}; number of "
        + "ended sessions: {Sessions}")]
    public static partial void SignedOut(ILogger logger, string application, string provider, int sessions);

    [LoggerMessage(6071, LogLevel.Information, "The provider {Provider} reported a sign-out; number of ended sessions: {Sessions}")]
    public static partial void BackChannelLogout(ILogger logger, string provider, int sessions);

    [LoggerMessage(6072, LogLevel.Warning, "A back-channel logout of the provider {Provider} was refused: {Cause} The activity identifier "
        + "of the answer is {ActivityId}")]
    public static partial void LogoutTokenRefused(ILogger logger, string provider, string cause, string activityId);

    [LoggerMessage(6073, LogLevel.Warning, "Tickets of a user who signed out may remain in the cache until they end (event {Event})")]
    public static partial void TicketsRemain(ILogger logger, int @event);

    [LoggerMessage(6074, LogLevel.Warning, "The identifier of an accepted logout token cannot be stored, so the token would be accepted "
        + "again after a restart: {Cause} Remedy: make the folder of State writable, and free space on its disk")]
    public static partial void LogoutTokenNotStored(ILogger logger, string cause);
}
