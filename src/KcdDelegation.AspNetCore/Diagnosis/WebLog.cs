using Microsoft.Extensions.Logging;

namespace KcdDelegation.AspNetCore.Diagnosis;

/// <summary>The log messages of this assembly. They contain no user names; the audit of the library has them.</summary>
internal static partial class WebLog
{
    public const string Category = "KcdDelegation.AspNetCore";

    [LoggerMessage(WebEventId.ErrorAnswered, LogLevel.Debug, "Answered {Status} because of the event {Event} ({Kind}), with the activity "
        + "identifier {ActivityId}")]
    public static partial void ErrorAnswered(ILogger logger, int status, int @event, KcdErrorKind kind, string activityId);

    [LoggerMessage(WebEventId.ResponseAborted, LogLevel.Warning, "The event {Event} occurred after the response had started, so the "
        + "response was aborted; its activity identifier is {ActivityId}")]
    public static partial void ResponseAborted(ILogger logger, int @event, string activityId);

    [LoggerMessage(WebEventId.ErrorPageFailed, LogLevel.Error, "The host's IKcdErrorPage failed; the client got the answer for programs")]
    public static partial void ErrorPageFailed(ILogger logger, Exception exception);

    [LoggerMessage(WebEventId.SessionEnded, LogLevel.Information, "A user signed out; number of aborted requests: {Requests}, of removed "
        + "tickets: {Tickets}")]
    public static partial void SessionEnded(ILogger logger, int requests, int tickets);

    [LoggerMessage(WebEventId.HealthCheckFailed, LogLevel.Error, "The health check failed for {Subject}: {Cause} Remedy: {Remedy}")]
    public static partial void HealthCheckFailed(ILogger logger, string subject, string cause, string remedy);

    [LoggerMessage(WebEventId.HealthCheckRecovered, LogLevel.Information, "The health check succeeds again for {Subject}")]
    public static partial void HealthCheckRecovered(ILogger logger, string subject);
}
