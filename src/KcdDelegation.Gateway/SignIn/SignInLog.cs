using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The log messages of the sign-in. They contain no user names, codes and tokens.</summary>
internal static partial class SignInLog
{
    public const string Category = "KcdDelegation.Gateway.SignIn";

    [LoggerMessage(6050, LogLevel.Information, "A user signed in to {Application} with the provider {Provider}")]
    public static partial void SignedIn(ILogger logger, string application, string provider);

    [LoggerMessage(6051, LogLevel.Warning, "A sign-in to {Application} with the provider {Provider} was not completed: {Cause} The "
        + "activity identifier of the answer is {ActivityId}, and the provider's correlation identifier is {CorrelationId}")]
    public static partial void SignInRefused(
        ILogger logger, string application, string provider, string cause, string activityId, string correlationId);

    [LoggerMessage(6052, LogLevel.Warning, "A browser signed in to {Application} many times within a minute, and was not sent to the "
        + "provider again. Check the conditions of the application, the clocks and the life of the tokens. The activity identifier of the "
        + "answer is {ActivityId}")]
    public static partial void SignInRepeats(ILogger logger, string application, string activityId);

    [LoggerMessage(6067, LogLevel.Error, "A sign-in to {Application} was not completed, because the folder of State cannot be used "
        + "({Cause}). Check its rights and the space of its disk. The activity identifier of the answer is {ActivityId}")]
    public static partial void StateUnusable(ILogger logger, string application, string cause, string activityId);
}
