using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;

namespace KcdDelegation;

/// <summary>Everything that this assembly logs. Numbers are <see cref="KcdEventId"/>'s. Tokens, tickets and keys are never logged; foreign
/// text passes <see cref="PrintableText"/> first.</summary>
internal static partial class Log
{
    public const string Category = "KcdDelegation";

    // 1xxx: token, identity, settings.

    [LoggerMessage(KcdEventId.SigningKeysLoaded, LogLevel.Information, "{Count} signing keys loaded from {Authority}")]
    public static partial void SigningKeysLoaded(ILogger logger, int count, string authority);

    [LoggerMessage(KcdEventId.IssuerUnreachable, LogLevel.Warning, "Signing keys could not be loaded; the last ones, if any, stay in use for a day: {Cause}")]
    public static partial void SigningKeysNotLoaded(ILogger logger, string cause);

    [LoggerMessage(KcdEventId.SettingsApplied, LogLevel.Information, "Changed settings are in force, with {Applications} applications")]
    public static partial void SettingsApplied(ILogger logger, int applications);

    [LoggerMessage(KcdEventId.SettingsRejected, LogLevel.Error, "Changed settings are wrong, the last good ones stay in force: {Error}")]
    public static partial void SettingsRejected(ILogger logger, string error);

    // 4xxx and 13022: HTTP.

    [LoggerMessage(KcdEventId.TicketRefused, LogLevel.Warning, "The backend of {Application} refused the ticket for {Service}: {Cause} Remedy: {Remedy}")]
    public static partial void TicketRefused(ILogger logger, string application, string service, string cause, string remedy);

    [LoggerMessage(KcdEventId.BackendNotProven, LogLevel.Error, "The backend of {Application} did not prove itself: {Cause}")]
    public static partial void BackendNotProven(ILogger logger, string application, string cause);

    [LoggerMessage(KcdEventId.FormatLearnt, LogLevel.Information, "The backend of {Application} takes tickets in the format {Format}")]
    public static partial void FormatLearnt(ILogger logger, string application, TokenFormat format);

    [LoggerMessage(KcdEventId.HeaderMayBeTooLarge, LogLevel.Debug, "The backend of {Application} answered {Status} to a request whose Authorization header has {Length} bytes; users in many groups have large tickets")]
    public static partial void HeaderMayBeTooLarge(ILogger logger, string application, int status, int length);
}
