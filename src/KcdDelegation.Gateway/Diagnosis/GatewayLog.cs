using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Diagnosis;

/// <summary>The log messages of the gateway's host. They contain no user names; the audit of the library has them.</summary>
internal static partial class GatewayLog
{
    public const string Category = "KcdDelegation.Gateway";

    [LoggerMessage(GatewayEventId.GatewayStarted, LogLevel.Information, "kcd-gateway {Version} listens at {Addresses}; number of "
        + "applications: {Applications}")]
    public static partial void GatewayStarted(ILogger logger, string version, string addresses, int applications);

    [LoggerMessage(GatewayEventId.SettingsApplied, LogLevel.Information, "Changed settings were applied; number of applications: "
        + "{Applications}")]
    public static partial void SettingsApplied(ILogger logger, int applications);

    [LoggerMessage(GatewayEventId.SettingsRejected, LogLevel.Error, "Changed settings were refused, and the last valid ones stay in force: "
        + "{Reason}")]
    public static partial void SettingsRejected(ILogger logger, string reason);

    [LoggerMessage(GatewayEventId.RoutesRejected, LogLevel.Error, "The routes to the applications were refused, and the last valid ones "
        + "stay in force: {Reason}")]
    public static partial void RoutesRejected(ILogger logger, string reason);

    [LoggerMessage(GatewayEventId.CertificateReplaced, LogLevel.Information, "The certificate {Path} was replaced; it is valid until "
        + "{NotAfter:u}")]
    public static partial void CertificateReplaced(ILogger logger, string path, DateTimeOffset notAfter);

    [LoggerMessage(GatewayEventId.CertificateRejected, LogLevel.Error, "The certificate {Path} cannot be used, and the last one stays in "
        + "force: {Reason}")]
    public static partial void CertificateRejected(ILogger logger, string path, string reason);

    [LoggerMessage(GatewayEventId.ConditionNotMet, LogLevel.Warning, "A request to {Application} was refused: {Condition}. Its activity "
        + "identifier is {ActivityId}")]
    public static partial void ConditionNotMet(ILogger logger, string application, string condition, string activityId);

    [LoggerMessage(GatewayEventId.HostUnknown, LogLevel.Debug, "A request names the host {Host}, which is that of no application")]
    public static partial void HostUnknown(ILogger logger, string host);

    [LoggerMessage(GatewayEventId.Draining, LogLevel.Information, "The gateway stops: /health/ready fails for {Delay}, then the requests "
        + "in flight have {Timeout} to end")]
    public static partial void Draining(ILogger logger, TimeSpan delay, TimeSpan timeout);

    [LoggerMessage(GatewayEventId.TicketsPurged, LogLevel.Information, "An administrator removed tickets ({Scope}); number of tickets: "
        + "{Tickets}")]
    public static partial void TicketsPurged(ILogger logger, string scope, int tickets);

    [LoggerMessage(GatewayEventId.SessionsEnded, LogLevel.Information, "An administrator ended sessions ({Scope}); number of sessions: "
        + "{Sessions}")]
    public static partial void SessionsEnded(ILogger logger, string scope, int sessions);
}
