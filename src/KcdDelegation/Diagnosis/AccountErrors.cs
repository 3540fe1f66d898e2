using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>The state of accounts: expired, disabled, locked out, without keys.</summary>
internal static class AccountErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, NoCredentials,
            n => $"the account's expiration date has passed: {n.Account}",
            Remedies.ExtendAccount) { Code = ClientExpired, In = Steps.LoggingOn },
        new(KcdStage.Identity, NoTicket,
            n => $"the expiration date of the user's account has passed: {n.User}",
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
            n => $"the logon hours of {n.User} do not include the current time",
            n => $"Check the logon hours, and change them if they are wrong: `{n.GetUser} -Properties LogonHours`.")
        { Code = ClientRevoked, NtStatus = NtStatusNames.InvalidLogonHours, In = Steps.FindingUser },

        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC refused the log-on of {n.Account}: the account is disabled",
            Remedies.EnableAccount) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountDisabled, In = Steps.LoggingOn },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC refused the log-on of {n.Account}: the account is locked out",
            n => $"{Remedies.UnlockAccount(n)} Then find out which machine logs on with a wrong password or keytab.")
        { Code = ClientRevoked, NtStatus = NtStatusNames.AccountLockedOut, In = Steps.LoggingOn },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC refused the log-on of {n.Account}: the account has expired",
            Remedies.ExtendAccount) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountExpired, In = Steps.LoggingOn },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC refused the log-on of {n.Account}: the account is disabled, locked out or expired",
            n => $"{Remedies.EnableAccount(n)} {Remedies.UnlockAccount(n)} {Remedies.ExtendAccount(n)}")
        { Code = ClientRevoked, In = Steps.LoggingOn },
        new(KcdStage.Identity, NoTicket,
            n => $"the account of {n.User} is disabled, locked out or expired",
            n => $"Check the account: `{n.GetUser} -Properties Enabled, LockedOut, AccountExpirationDate`. {Remedies.EnableUser(n)} {Remedies.UnlockUser(n)}")
        { Code = ClientRevoked },

        new(KcdStage.Delegation, NoCredentials,
            n => $"the password of {n.Account} has expired or must be changed",
            n => $"Set a new password: {Remedies.NewPassword(n.AccountQuoted)} {Remedies.NewKeytab(n)} "
                + "A group managed service account changes its password automatically.")
        { Code = KeyExpired, In = Steps.LoggingOn },
        // Samba refuses to delegate such a user; Windows and MIT delegate them.
        new(KcdStage.Identity, NoTicket,
            n => $"the password of {n.User} has expired or must be changed",
            n => $"Have the user change the password, or set a new one: {Remedies.NewPassword(n.UserAccountQuoted)}") { Code = KeyExpired },

        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC has no key for {n.Account}, or none for {n.Service}",
            n => $"Set a password, which creates keys: {Remedies.NewPassword(n.AccountQuoted)} "
                + $"Do the same for the account that `setspn -Q {n.ServiceQuoted}` lists.") { Code = NullKey },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC rejected the key of {n.Account}: the keytab or password is wrong or outdated",
            n => $"The key is not tried again until it changes. {Remedies.NewKeytab(n)}") { Code = PreAuthenticationFailed },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC requires a pre-authentication type for which {n.Account} has no key, or Kerberos armoring",
            n => $"{Remedies.EnableAes(n.AccountCmdlet, n.AccountQuoted)} Or relax the policy that requires Kerberos armoring (FAST) for this account.")
        { Code = PreAuthenticationRequired },
    ];
}
