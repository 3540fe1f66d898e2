using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>Assigns the failure of an exchange to the one check that explains it. Every other check that needs the exchange is
/// skipped.</summary>
internal static class FaultAttribution
{
    /// <summary>Returns the check that explains a failed log-on of the account.</summary>
    /// <param name="error">The failure.</param>
    /// <param name="isAnswering">Whether a KDC of the realm answers over TCP, so that the checks of the KDCs find no fault.</param>
    public static string OfLogOn(KerberosException error, bool isAnswering = true) => error switch
    {
        { Reason: KerberosFailureReason.KdcNotFound } when !isAnswering => CheckIds.KdcNames,
        { Reason: KerberosFailureReason.KdcUnreachable } when !isAnswering => CheckIds.KdcTcp,
        { Reason: KerberosFailureReason.KeyUnavailable } => CheckIds.KeyFile,
        { Reason: KerberosFailureReason.EncryptionTypeRefused } or { Code: KerberosErrorCode.EncryptionTypeNotSupported } =>
            CheckIds.AccountKeys,
        { Reason: KerberosFailureReason.PreAuthenticationNotSupported or KerberosFailureReason.AccountSuperseded } =>
            CheckIds.AccountState,
        { Reason: KerberosFailureReason.KeyRejected } or { Code: KerberosErrorCode.PreAuthenticationFailed } => CheckIds.KeyCurrent,
        { Code: KerberosErrorCode.ClientPrincipalUnknown or KerberosErrorCode.ServicePrincipalUnknown or KerberosErrorCode.WrongRealm } =>
            CheckIds.AccountKnown,
        { Code: KerberosErrorCode.Skew } => CheckIds.KdcClock,
        { Code: KerberosErrorCode.ClientRevoked or KerberosErrorCode.ClientExpired or KerberosErrorCode.KeyExpired
            or KerberosErrorCode.Policy or KerberosErrorCode.NullKey } => CheckIds.AccountState,
        _ => CheckIds.AccountLogOn,
    };

    /// <summary>Returns the check that explains a refused S4U2Self or S4U2Proxy exchange.</summary>
    /// <param name="error">The refusal.</param>
    /// <param name="account">The account's facts.</param>
    /// <param name="user">The user's facts.</param>
    /// <param name="other">A second user, to compare; null if none was given.</param>
    /// <param name="application">The application whose ticket was refused; null for the user's ticket to the account.</param>
    /// <param name="cancellationToken">Ends the search in the directory.</param>
    public static async Task<string> FindAsync(
        KerberosException error,
        AccountFacts account,
        UserFacts user,
        UserFacts? other,
        ApplicationFacts? application,
        CancellationToken cancellationToken)
    {
        switch (error)
        {
            case { Reason: KerberosFailureReason.AccountNotForwardable }:
                return CheckIds.AccountForwardable;
            case { Reason: KerberosFailureReason.EvidenceNotForwardable }:
                return await FindReasonOfEvidenceAsync(account, user, other, application, cancellationToken).ConfigureAwait(false);
            case { Reason: KerberosFailureReason.KeyUnavailable }:
                return CheckIds.KeyCurrent;
            case { Reason: KerberosFailureReason.IdentityMismatch or KerberosFailureReason.NameMismatch }:
                return CheckIds.UserNames;
            case { Exchange: KerberosExchange.Referral }:
                return CheckIds.Trust;
            case { Reason: KerberosFailureReason.KdcNotFound or KerberosFailureReason.KdcUnreachable }:
                return !string.Equals(error.Realm, account.Realm, StringComparison.OrdinalIgnoreCase) ? CheckIds.Trust
                    : await account.IsAnsweringAsync(cancellationToken).ConfigureAwait(false) ? CheckIds.Ticket
                    : CheckIds.KdcTcp;
        }
        return error.Exchange == KerberosExchange.S4U2Proxy && application is not null
            ? await FindReasonOfTicketAsync(error, account, application, cancellationToken).ConfigureAwait(false)
            : await FindReasonOfUserAsync(error, account, user, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<string> FindReasonOfUserAsync(
        KerberosException error, AccountFacts account, UserFacts user, CancellationToken cancellationToken)
    {
        switch (error)
        {
            case { Code: KerberosErrorCode.ClientPrincipalUnknown }:
                // The account's KDC gives the same answer for a user that exists in another realm, and for one that does not.
                return !user.IsInAccountDomain && await user.IsKnownInOwnRealmAsync(cancellationToken).ConfigureAwait(false) == true
                    ? CheckIds.Trust
                    : CheckIds.UserAccount;
            case { Code: KerberosErrorCode.PrincipalNotUnique }:
                return CheckIds.UserAccount;
            case { Code: KerberosErrorCode.ClientRevoked or KerberosErrorCode.ClientExpired or KerberosErrorCode.KeyExpired }:
                return CheckIds.UserState;
            case { Code: KerberosErrorCode.Policy } when user.IsInAccountDomain:
                return CheckIds.UserState;
            case { Code: KerberosErrorCode.Policy or KerberosErrorCode.WrongRealm }:
                return CheckIds.Trust;
            case { Reason: KerberosFailureReason.EncryptionTypeRefused } or { Code: KerberosErrorCode.EncryptionTypeNotSupported }:
                return CheckIds.AccountEncryptionTypes;
            case { Code: KerberosErrorCode.ServicePrincipalUnknown or KerberosErrorCode.MustUseUserToUser or KerberosErrorCode.BadMatch }:
                return user.IsInAccountDomain ? CheckIds.AccountSpn : CheckIds.Trust;
            case { Code: KerberosErrorCode.BadOption }:
                var records = await user.GetRecordsAsync(cancellationToken).ConfigureAwait(false);
                return records is [{ IsSensitive: true }] ? CheckIds.UserDelegation
                    : await account.GetRecordAsync(cancellationToken).ConfigureAwait(false) is { IsSensitive: true }
                        ? CheckIds.AccountForwardable
                        : CheckIds.UserDelegation;
            default:
                return CheckIds.Ticket;
        }
    }

    private static async Task<string> FindReasonOfTicketAsync(
        KerberosException error, AccountFacts account, ApplicationFacts application, CancellationToken cancellationToken)
    {
        switch (error.Code)
        {
            case KerberosErrorCode.BadOption:
                return CheckIds.DelegationList;
            case KerberosErrorCode.ServicePrincipalUnknown when error.KdcText == "SERVER LOCKED OUT":
                return CheckIds.TargetAccount;
            case KerberosErrorCode.ServicePrincipalUnknown or KerberosErrorCode.PrincipalNotUnique:
                var holders = await application.GetHoldersAsync(cancellationToken).ConfigureAwait(false);
                return holders is [{ IsDisabled: true } or { IsExpired: true }] ? CheckIds.TargetAccount : CheckIds.TargetSpn;
            case KerberosErrorCode.EncryptionTypeNotSupported or KerberosErrorCode.NullKey:
                return CheckIds.TargetEncryptionTypes;
            case KerberosErrorCode.ServiceExpired or KerberosErrorCode.ServiceRevoked or KerberosErrorCode.MustUseUserToUser:
                return CheckIds.TargetAccount;
            case KerberosErrorCode.Generic when error.KdcText?.Contains("HW PREAUTH", StringComparison.Ordinal) == true:
                return CheckIds.TargetAccount;
            case KerberosErrorCode.ClientRevoked or KerberosErrorCode.ClientExpired or KerberosErrorCode.KeyExpired:
                return CheckIds.UserState;
            case KerberosErrorCode.Policy:
                return application.User is { IsInAccountDomain: false } ? CheckIds.Trust : CheckIds.TargetAccount;
            default:
                return error.Reason == KerberosFailureReason.EncryptionTypeRefused ? CheckIds.TargetEncryptionTypes : CheckIds.Ticket;
        }
    }

    /// <summary>Finds out whether the account lacks the right to protocol transition or the user is protected. The KDC shows only that the
    /// user's ticket is not forwardable.</summary>
    private static async Task<string> FindReasonOfEvidenceAsync(
        AccountFacts account, UserFacts user, UserFacts? other, ApplicationFacts? application, CancellationToken cancellationToken)
    {
        if ((await user.GetRecordsAsync(cancellationToken).ConfigureAwait(false)) is [{ IsSensitive: true }])
            return CheckIds.UserDelegation;
        if (await account.GetRecordAsync(cancellationToken).ConfigureAwait(false) is { } record)
            return record.IsTrustedForAnyProtocol ? CheckIds.UserDelegation : CheckIds.AccountAnyProtocol;
        if (other is not null && (await other.GetEvidenceAsync(cancellationToken).ConfigureAwait(false)).Evidence is { } evidence)
            return evidence.Ticket.IsForwardable ? CheckIds.UserDelegation : CheckIds.AccountAnyProtocol;
        // Without a directory, another principal that certainly exists shows the difference: the target itself.
        return application is not null && await IsForwardableForServiceAsync(account, application.Service, cancellationToken)
            .ConfigureAwait(false)
            ? CheckIds.UserDelegation
            : CheckIds.AccountAnyProtocol;
    }

    private static async Task<bool> IsForwardableForServiceAsync(
        AccountFacts account, ServicePrincipalName service, CancellationToken cancellationToken)
    {
        var principal = KerberosPrincipal.Principal($"{service.ServiceClass}/{service.Host}", service.Realm ?? account.Realm);
        var (evidence, _) = await new UserFacts(account, principal).GetEvidenceAsync(cancellationToken).ConfigureAwait(false);
        return evidence?.Ticket.IsForwardable == true;
    }
}
