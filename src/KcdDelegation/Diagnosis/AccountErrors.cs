using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>The state of accounts: expired, disabled, locked, without keys.</summary>
internal static class AccountErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, NoCredentials,
            n => $"by its date, {n.Account} has expired",
            Remedies.ExtendAccount) { Code = ClientExpired, In = Steps.LoggingOn },
        new(KcdStage.Identity, NoTicket,
            n => $"by its date, the account of {n.User} has expired",
            Remedies.ExtendUser) { Code = ClientExpired },

        new(KcdStage.Identity, NoTicket,
            n => $"the account of {n.User} is disabled",
            Remedies.EnableUser) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountDisabled, In = Steps.FindingUser },
        new(KcdStage.Identity, NoTicket,
            n => $"the account of {n.User} is locked out",
            Remedies.UnlockUser) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountLockedOut, In = Steps.FindingUser },
        new(KcdStage.Identity, NoTicket,
            n => $"the account of {n.User} has expired",
            Remedies.ExtendUser) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountExpired, In = Steps.FindingUser },
        new(KcdStage.Identity, NoTicket,
            n => $"by his logon hours, {n.User} may not log on now",
            n => $"Change the logon hours if that is wrong: `{n.GetUser} -Properties LogonHours`.")
        { Code = ClientRevoked, NtStatus = NtStatusNames.InvalidLogonHours, In = Steps.FindingUser },

        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC lets nobody log on with {n.Account}: it is disabled",
            Remedies.EnableAccount) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountDisabled, In = Steps.LoggingOn },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC lets nobody log on with {n.Account}: it is locked out",
            n => $"{Remedies.UnlockAccount(n)} Then look who tries a wrong password or keytab.") { Code = ClientRevoked, NtStatus = NtStatusNames.AccountLockedOut, In = Steps.LoggingOn },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC lets nobody log on with {n.Account}: it has expired",
            Remedies.ExtendAccount) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountExpired, In = Steps.LoggingOn },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC lets nobody log on with {n.Account}: it is disabled, locked out or expired",
            n => $"{Remedies.EnableAccount(n)} {Remedies.UnlockAccount(n)} {Remedies.ExtendAccount(n)}") { Code = ClientRevoked, In = Steps.LoggingOn },
        new(KcdStage.Identity, NoTicket,
            n => $"the account of {n.User} is disabled, locked out or expired",
            n => $"Look: `{n.GetUser} -Properties Enabled, LockedOut, AccountExpirationDate`. {Remedies.EnableUser(n)} {Remedies.UnlockUser(n)}") { Code = ClientRevoked },

        new(KcdStage.Delegation, NoCredentials,
            n => $"the password of {n.Account} has expired or must be changed",
            n => $"Set a new one: {Remedies.NewPassword(n.AccountQuoted)} {Remedies.NewKeytab(n)} A group managed service account changes its password by itself.")
        { Code = KeyExpired, In = Steps.LoggingOn },
        // Samba refuses to delegate such a user; Windows and MIT do not mind.
        new(KcdStage.Identity, NoTicket,
            n => $"the password of {n.User} has expired or must be changed",
            n => $"Have him change it, or set a new one: {Remedies.NewPassword(n.UserAccountQuoted)}") { Code = KeyExpired },

        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC has no key for {n.Account}, or none for {n.Service}",
            n => $"Set a password, which makes keys: {Remedies.NewPassword(n.AccountQuoted)} Likewise for the account that `setspn -Q {n.ServiceQuoted}` names.") { Code = NullKey },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC rejects the key of {n.Account}: the keytab or password is wrong or old",
            n => $"The key is not tried again before it changes. {Remedies.NewKeytab(n)}") { Code = PreAuthenticationFailed },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC wants a pre-authentication that {n.Account} has no key for, or armoring only",
            n => $"{Remedies.EnableAes(n.AccountCmdlet, n.AccountQuoted)} Or relax the policy that demands Kerberos armoring (FAST) of this account.")
        { Code = PreAuthenticationRequired },
    ];
}
