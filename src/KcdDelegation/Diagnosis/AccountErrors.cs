using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.KcdErrorKind;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>The state of accounts: expired, disabled, locked out, without keys.</summary>
internal static class AccountErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the account that runs {n.Service} has expired",
            AccountCommands.ExtendTarget) { Code = ServiceExpired },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the account that runs {n.Service} is disabled or locked out",
            AccountCommands.EnableTarget) { Code = ServiceRevoked },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"by its expiration date, {n.Account} has expired",
            Remedies.ExtendAccount) { Code = ClientExpired, In = Steps.LoggingOn },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"by its expiration date, the account of {n.User} has expired",
            Remedies.ExtendUser) { Code = ClientExpired },

        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the account of {n.User} is disabled",
            Remedies.EnableUser) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountDisabled, In = Steps.FindingUser },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the account of {n.User} is locked out",
            Remedies.UnlockUser) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountLockedOut, In = Steps.FindingUser },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the account of {n.User} has expired",
            Remedies.ExtendUser) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountExpired, In = Steps.FindingUser },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the logon hours of {n.User} do not include the current time",
            n => $"Check the logon hours, and change them if they are wrong: `{n.GetUser} -Properties LogonHours`.")
        { Code = ClientRevoked, NtStatus = NtStatusNames.InvalidLogonHours, In = Steps.FindingUser },

        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC refused the log-on of {n.Account}: the account is disabled",
            Remedies.EnableAccount) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountDisabled, In = Steps.LoggingOn },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC refused the log-on of {n.Account}: the account is locked out",
            n => $"{Remedies.UnlockAccount(n)} Then find out which machine logs on with a wrong password or keytab.")
        { Code = ClientRevoked, NtStatus = NtStatusNames.AccountLockedOut, In = Steps.LoggingOn },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC refused the log-on of {n.Account}: the account has expired",
            Remedies.ExtendAccount) { Code = ClientRevoked, NtStatus = NtStatusNames.AccountExpired, In = Steps.LoggingOn },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC refused the log-on of {n.Account}: its logon hours do not include the current time",
            n => "An account that delegates is needed at any time. Remove the restriction: "
                + AccountCommands.RemoveLogonHours(n, n.AccountEntry))
        { Code = ClientRevoked, NtStatus = NtStatusNames.InvalidLogonHours, In = Steps.LoggingOn },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC refused the log-on of {n.Account}: the account is disabled, locked out or expired",
            n => $"{Remedies.EnableAccount(n)} {Remedies.UnlockAccount(n)} {Remedies.ExtendAccount(n)}")
        { Code = ClientRevoked, In = Steps.LoggingOn },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the account of {n.User} is disabled, locked out or expired",
            n => $"{Remedies.UserState(n)} {Remedies.EnableUser(n)} {Remedies.UnlockUser(n)}")
        { Code = ClientRevoked },

        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the password of {n.Account} has expired or must be changed",
            n => $"Set a new password: {AccountCommands.NewPassword(n, n.AccountEntry)} {Remedies.RenewKey(n)} "
                + "A group managed service account changes its password automatically.")
        { Code = KeyExpired, In = Steps.LoggingOn },
        // Samba refuses to delegate such a user; Windows and MIT delegate them.
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the password of {n.User} has expired or must be changed",
            n => $"Have the user change the password, or set a new one: {AccountCommands.NewPassword(n, n.UserEntry)}") { Code =
                KeyExpired },

        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC has no key for {n.Account}, or none for {n.Service}",
            n => $"Set a password, which creates keys: {AccountCommands.NewPassword(n, n.AccountEntry)} "
                + $"Do the same for the account of the service. {Remedies.FindHolder(n)}") { Code = NullKey },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC rejected the password of {n.Account}: the password is wrong or was changed",
            n => $"The password is not tried again until it changes. {Remedies.RenewKey(n)}")
        { Code = PreAuthenticationFailed, When = RowCondition.KeyIsPassword },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC rejected the key of {n.Account}: "
                + "the keytab is older than the password, or its key was created with another salt",
            n => $"The key is not tried again until it changes. {Remedies.RenewKey(n)} {Remedies.CheckSalt(n)}") { Code =
                PreAuthenticationFailed },
        // The engine reports this code as PreAuthenticationNotSupported. This row is for errors of other origin.
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC requires a pre-authentication for {n.Account} that this client does not support",
            Remedies.AcceptTimestamps) { Code = PreAuthenticationRequired },
    ];
}
