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
}
