using System.Security.Claims;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Diagnosis;

/// <summary>Everything that this assembly logs. Numbers are <see cref="KcdEventId"/>'s. Tokens, tickets and keys are never logged; foreign
/// text passes <see cref="PrintableText"/> first.</summary>
internal static partial class Log
{
    public const string Category = "KcdDelegation";

    /// <summary>Who was delegated as whom to what, and who was refused. At level Debug it names users: turn it on by its own category.</summary>
    public const string AuditCategory = "KcdDelegation.Audit";

    // 1xxx: token, identity, settings.

    [LoggerMessage(KcdEventId.SigningKeysLoaded, LogLevel.Information, "{Count} signing keys loaded from {Authority}")]
    public static partial void SigningKeysLoaded(ILogger logger, int count, string authority);

    [LoggerMessage(KcdEventId.IssuerUnreachable, LogLevel.Warning, "Signing keys could not be loaded; the last ones, if any, stay in use for a day: {Cause}")]
    public static partial void SigningKeysNotLoaded(ILogger logger, string cause);

    [LoggerMessage(KcdEventId.SettingsApplied, LogLevel.Information, "Changed settings are in force, with {Applications} applications")]
    public static partial void SettingsApplied(ILogger logger, int applications);

    [LoggerMessage(KcdEventId.SettingsRejected, LogLevel.Error, "Changed settings are wrong, the last good ones stay in force: {Error}")]
    public static partial void SettingsRejected(ILogger logger, string error);

    // 2xxx: Kerberos.

    [LoggerMessage(KcdEventId.ClientOpened, LogLevel.Information, "Delegating as {Account} of {Realm} from now on")]
    public static partial void ClientOpened(ILogger logger, string account, string realm);

    [LoggerMessage(KcdEventId.ClientRetired, LogLevel.Information, "Changed settings have replaced the client of {Account} of {Realm}; it is closed after its last use")]
    public static partial void ClientRetired(ILogger logger, string account, string realm);

    [LoggerMessage(KcdEventId.TicketsPurged, LogLevel.Information, "{Count} tickets dropped at a sign-out")]
    public static partial void TicketsPurged(ILogger logger, int count);

    // 4xxx and 13022: HTTP.

    [LoggerMessage(KcdEventId.TicketRefused, LogLevel.Warning, "A 401 from {Application}, service {Service}: {Cause} Remedy: {Remedy}")]
    public static partial void TicketRefused(ILogger logger, string application, string service, string cause, string remedy);

    [LoggerMessage(KcdEventId.FormatLearnt, LogLevel.Information, "The backend of {Application} takes tickets in the format {Format}")]
    public static partial void FormatLearnt(ILogger logger, string application, TokenFormat format);

    [LoggerMessage(KcdEventId.SharingEnded, LogLevel.Error, "The backend of {Application} has tied a connection that users share to one of them (Persistent-Auth); each user has connections of his own from now on. Remedy: set ShareConnectionsBetweenUsers to false, or authPersistNonNTLM in IIS to false, and start again")]
    public static partial void SharingEnded(ILogger logger, string application);

    [LoggerMessage(KcdEventId.HeaderMayBeTooLarge, LogLevel.Debug, "The backend of {Application} answered {Status} to a request whose Authorization header has {Length} bytes; users in many groups have large tickets")]
    public static partial void HeaderMayBeTooLarge(ILogger logger, string application, int status, int length);

    // The audit: one event for each decision.

    public static void IdentityUsed(ILogger logger, string application, ClaimsPrincipal caller, KerberosPrincipal user, ServiceTicket ticket)
    {
        if (logger.IsEnabled(LogLevel.Debug))
            IdentityUsed(logger, GetSubject(caller), PrintableText.From(user.ToString()), ticket.SecurityIdentifier ?? "not told", ticket.Service.ToString(), application, ticket.EndTime);
    }

    [LoggerMessage(KcdEventId.IdentityUsed, LogLevel.Debug, "{Caller} is delegated as {User} (SID {SecurityIdentifier}) to {Service} ({Application}) by a ticket until {EndTime:u}", SkipEnabledCheck = true)]
    private static partial void IdentityUsed(ILogger logger, string caller, string user, string securityIdentifier, string service, string application, DateTimeOffset endTime);

    public static void Refused(ILogger logger, string application, ClaimsPrincipal? caller, KcdException refusal) =>
        Refused(logger, refusal, $"{(caller is null ? "Nobody" : GetSubject(caller))} is not delegated to {PrintableText.From(application)}: ");

    public static void Refused(ILogger logger, KcdException refusal) => Refused(logger, refusal, "Refused: ");

    /// <summary>Under the refusal's own number, which a generated method could not take.</summary>
    private static void Refused(ILogger logger, KcdException refusal, string who) =>
        logger.Log(refusal.Stage == KcdStage.Identity ? LogLevel.Warning : LogLevel.Error, new EventId(refusal.EventId), refusal, exception: null, (state, _) => who + state.Message);

    /// <summary>What the issuer calls the caller and nobody can change: an id, not a name.</summary>
    private static string GetSubject(ClaimsPrincipal caller) => PrintableText.From(
        (caller.FindFirst("oid") ?? caller.FindFirst("http://schemas.microsoft.com/identity/claims/objectidentifier")
            ?? caller.FindFirst("sub") ?? caller.FindFirst(ClaimTypes.NameIdentifier))?.Value ?? "A caller without id", 64);
}
