using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.ForwardAuthentication;

/// <summary>The log messages of forward authentication.</summary>
internal static partial class ForwardAuthenticationLog
{
    [LoggerMessage(6100, LogLevel.Warning, "A request of an outer proxy to {Path} was refused: {Reason}. Correct the configuration of the "
        + "proxy; docs/gateway.md has samples. The activity identifier of the answer is {ActivityId}")]
    public static partial void ProxyRequestRefused(ILogger logger, string path, string reason, string activityId);

    [LoggerMessage(6101, LogLevel.Error, "Forward authentication for {Application} was refused: {Setting} requires a check of the "
        + "connection to the application, which the outer proxy opens. Change the setting, or publish the application through the gateway")]
    public static partial void CheckNotPossible(ILogger logger, string application, string setting);

    [LoggerMessage(6102, LogLevel.Warning, "A client requested {Path} at the public listener, which has no forward authentication")]
    public static partial void PublicPathRefused(ILogger logger, string path);
}
