using System.Security.Claims;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Telemetry;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Diagnosis;

/// <summary>The log messages of this assembly, with the numbers of <see cref="KcdEventId"/>.</summary>
/// <remarks>Tokens, tickets and keys are never logged. External text passes <see cref="PrintableText"/> first.</remarks>
internal static partial class Log
{
    public const string Category = "KcdDelegation";

    /// <summary>The category of delegations and refusals. It names users at the level Debug, so it can be enabled separately.</summary>
    public const string AuditCategory = "KcdDelegation.Audit";

    // 1xxx: token, identity, settings.

    [LoggerMessage(KcdEventId.SigningKeysLoaded, LogLevel.Information, "Signing keys were loaded from {Authority}; number of keys: "
        + "{Count}")]
    public static partial void SigningKeysLoaded(ILogger logger, int count, string authority);

    [LoggerMessage(KcdEventId.IssuerUnreachable, LogLevel.Warning, "The signing keys could not be loaded; keys loaded earlier remain in "
        + "use for one day: {Cause}")]
    public static partial void SigningKeysNotLoaded(ILogger logger, string cause);

    [LoggerMessage(KcdEventId.SettingsApplied, LogLevel.Information, "Changed settings are in effect; number of applications: "
        + "{Applications}")]
    public static partial void SettingsApplied(ILogger logger, int applications);

    [LoggerMessage(KcdEventId.SettingsRejected, LogLevel.Error, "The changed settings are invalid; the last valid settings remain in "
        + "effect: {Error}")]
    public static partial void SettingsRejected(ILogger logger, string error);

    [LoggerMessage(KcdEventId.SettingsUnreadable, LogLevel.Error, "The configuration file {File} has changed and cannot be read; the "
        + "last valid settings remain in effect: {Cause}")]
    public static partial void SettingsUnreadable(ILogger logger, string file, string cause);

    [LoggerMessage(KcdEventId.SettingWeakens, LogLevel.Warning, "A setting turns a protection off. {Key} is {Value}: {Effect}. To undo "
        + "it: {Undo}")]
    public static partial void SettingWeakens(ILogger logger, string key, string value, string effect, string undo);

    // 2xxx: Kerberos.

    [LoggerMessage(KcdEventId.ClientOpened, LogLevel.Information, "Delegation with the account {Account} of the realm {Realm} has started")]
    public static partial void ClientOpened(ILogger logger, string account, string realm);

    [LoggerMessage(KcdEventId.ClientRetired, LogLevel.Information, "Changed settings have replaced the client of the account {Account} "
        + "of the realm {Realm}; it is closed after its last use")]
    public static partial void ClientRetired(ILogger logger, string account, string realm);

    [LoggerMessage(KcdEventId.LogOnRecovered, LogLevel.Information, "The account {Account} of the realm {Realm} can log on again")]
    public static partial void LogOnRecovered(ILogger logger, string account, string realm);

    [LoggerMessage(KcdEventId.TicketsPurged, LogLevel.Information, "Tickets of {Owner} were dropped by a call of the "
        + "host; number of tickets: {Count}")]
    public static partial void TicketsPurged(ILogger logger, int count, string owner);

    // 4xxx and 13022: HTTP.

    [LoggerMessage(KcdEventId.TicketRefused, LogLevel.Warning, "The backend of {Application} (service {Service}) answered {Status}: "
        + "{Cause} Remedy: {Remedy}")]
    public static partial void TicketRefused(
        ILogger logger, string application, string service, int status, string cause, string remedy);

    [LoggerMessage(KcdEventId.FormatLearnt, LogLevel.Information, "The backend of {Application} accepts tickets in the format {Format}")]
    public static partial void FormatLearnt(ILogger logger, string application, TokenFormat format);

    [LoggerMessage(KcdEventId.SharingEnded, LogLevel.Error, "The backend of {Application} bound a connection that users share to one "
        + "user (Persistent-Auth); each user now has separate connections. "
        + "Remedy: set ShareConnectionsBetweenUsers to false, or authPersistNonNTLM in IIS to false, and restart")]
    public static partial void SharingEnded(ILogger logger, string application);

    [LoggerMessage(KcdEventId.HeaderMayBeTooLarge, LogLevel.Warning, "The backend of {Application} {Action} a request with {HeaderBytes} "
        + "bytes of header fields. The Authorization field has {AuthorizationBytes} bytes, for a ticket of {TicketBytes} bytes. "
        + "Remedy: {Remedy}")]
    public static partial void HeaderMayBeTooLarge(
        ILogger logger, string application, string action, int headerBytes, int authorizationBytes, int ticketBytes, string remedy);

    [LoggerMessage(KcdEventId.RequestSentWithNewTicket, LogLevel.Information, "The backend of {Application} (service {Service}) answered "
        + "{Status} to a ticket that was issued earlier ({OldKey}); a new ticket ({NewKey}) was obtained, and the request was sent again")]
    public static partial void RequestSentWithNewTicket(
        ILogger logger, string application, string service, int status, string oldKey, string newKey);

    [LoggerMessage(KcdEventId.TicketReplaced, LogLevel.Information, "The backend of {Application} (service {Service}) answered {Status} to "
        + "a ticket that was issued earlier ({OldKey}); a new ticket ({NewKey}) was obtained for the user's next request, because this "
        + "request cannot be sent again")]
    public static partial void TicketReplaced(
        ILogger logger, string application, string service, int status, string oldKey, string newKey);

    [LoggerMessage(KcdEventId.TicketNotReplaced, LogLevel.Warning, "The backend of {Application} (service {Service}) refused a ticket "
        + "that was issued earlier, and there is no new one: {Cause} Remedy: {Remedy}")]
    public static partial void TicketNotReplaced(ILogger logger, string application, string service, string cause, string remedy);

    [LoggerMessage(KcdEventId.TicketReplacedBefore, LogLevel.Debug, "The backend of {Application} (service {Service}) refused a ticket "
        + "that was replaced less than a minute ago; it is kept")]
    public static partial void TicketReplacedBefore(ILogger logger, string application, string service);

    [LoggerMessage(KcdEventId.TicketMayBeRefused, LogLevel.Warning, "{Cause} Remedy: {Remedy} This hint is logged once an hour")]
    public static partial void TicketMayBeRefused(ILogger logger, string cause, string remedy);

    [LoggerMessage(KcdEventId.UsersNearLimit, LogLevel.Warning, "Number of users with connections to {Application}: {Users}, {Active} of "
        + "them with requests or open streams. At most {MaxUsers} may have connections. Beyond that, connections of idle users are "
        + "closed for others, and users wait while all are active. Remedy: increase MaxUsers if the host has memory and ports for "
        + "more users")]
    public static partial void UsersNearLimit(ILogger logger, string application, int users, int active, int maxUsers);

    [LoggerMessage(KcdEventId.ChannelBindingUndefined, LogLevel.Warning, "{Origin}, the backend of {Application}, presents a certificate "
        + "whose signature algorithm ({Algorithm}) defines no channel binding (RFC 5929), so tickets are not bound to the connection. "
        + "Remedy: give the backend a certificate that is signed with RSA or ECDSA, or set RequireChannelBinding to refuse it")]
    public static partial void ChannelBindingUndefined(ILogger logger, string application, string origin, string? algorithm);

    [LoggerMessage(KcdEventId.HttpVersionNotAccepted, LogLevel.Warning, "The backend of {Application} answered {Status}: it does not "
        + "accept HTTP/1.1, the only version in which requests are sent. Remedy: allow HTTP/1.1 at the backend")]
    public static partial void HttpVersionNotAccepted(ILogger logger, string application, int status);

    // The audit: one event per decision.

    public static void IdentityUsed(
        ILogger logger, string application, ClaimsPrincipal caller, KerberosPrincipal user, ServiceTicket ticket)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            IdentityUsed(
                logger, GetSubject(caller) ?? "A caller without an identifier", PrintableText.From(user.ToString()),
                    ticket.SecurityIdentifier ?? "unknown",
                ticket.Service.ToString(), application, ticket.EndTime);
        }
    }

    [LoggerMessage(KcdEventId.IdentityUsed, LogLevel.Debug, "{Caller} is delegated as {User} (SID {SecurityIdentifier}) to {Service} "
        + "({Application}) with a ticket that is valid until {EndTime:u}",
        SkipEnabledCheck = true)]
    private static partial void IdentityUsed(
        ILogger logger, string caller, string user, string securityIdentifier, string service, string application, DateTimeOffset endTime);

    /// <summary>Logs and counts the refusal of a call to an application. Each refusal passes here once.</summary>
    public static void Refused(ILogger audit, string application, ClaimsPrincipal? caller, KcdException refusal) =>
        Write(audit, application, caller, refusal);

    /// <summary>Logs and counts a refusal that concerns no application.</summary>
    public static void Refused(ILogger audit, KcdException refusal) => Write(audit, application: null, caller: null, refusal);

    /// <summary>Returns the level of a refusal. Error means that the operator must act; a user, a caller or an outage is a
    /// warning.</summary>
    public static LogLevel GetLevel(KcdErrorKind kind) => kind == KcdErrorKind.Configuration ? LogLevel.Error : LogLevel.Warning;

    /// <summary>Logs a refusal under its own number, which a generated method cannot take.</summary>
    private static void Write(ILogger audit, string? application, ClaimsPrincipal? caller, KcdException refusal)
    {
        DelegationMetrics.Refused(refusal.EventId, refusal.Kind.GetTag(), application);
        var level = GetLevel(refusal.Kind);
        if (audit.IsEnabled(level))
        {
            audit.Log(
                level, new EventId(refusal.EventId), new RefusalEvent(refusal, application, GetSubject(caller)), exception: null,
                static (entry, _) => entry.ToString());
        }
    }

    /// <summary>Gets the immutable identifier that the issuer gave the caller, or null. It is not a name.</summary>
    private static string? GetSubject(ClaimsPrincipal? caller)
    {
        var subject = caller?.FindFirst("oid") ?? caller?.FindFirst("http://schemas.microsoft.com/identity/claims/objectidentifier")
            ?? caller?.FindFirst("sub") ?? caller?.FindFirst(ClaimTypes.NameIdentifier);
        return subject is null ? null : PrintableText.From(subject.Value, 64);
    }
}
