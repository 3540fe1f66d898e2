using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.KcdErrorKind;
using static KcdDelegation.Kerberos.KerberosFailureReason;

namespace KcdDelegation.Diagnosis;

/// <summary>Causes that the engine determines itself, independently of the KDC's error code.</summary>
internal static class ClientFindings
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the ticket of {n.Account} itself is not forwardable, so the account cannot delegate any user: the account is "
                + $"sensitive or a member of "
                + "Protected Users, or krbtgt is marked as sensitive",
            Remedies.AllowAccount) { Reason = AccountNotForwardable },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the account was migrated to a delegated managed service account (dMSA) and can no longer log on: {n.Account}",
            n => "Use another account for delegation, because this library does not support dMSA. To undo the migration: "
                + "Active Directory `Undo-ADServiceAccountMigration -Identity DMSA -SupersededAccount "
                + $"{n.AccountEntry.AtServer}`.")
        { Reason = AccountSuperseded },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC requires hardware pre-authentication for {n.Account}, which this client does not support",
            n => $"Remove the requirement from the account: MIT krb5 `kadmin.local modprinc -requires_hwauth {n.AccountQuoted}`.")
        { Reason = PreAuthenticationNotSupported, When = RowCondition.KdcSays("NEEDED_HW_PREAUTH") },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC does not accept an encrypted timestamp for {n.Account}; the brackets list the pre-authentication that it offers",
            Remedies.AcceptTimestamps) { Reason = PreAuthenticationNotSupported },
        new(KcdStage.Delegation, UserNotPermitted, NoTicket,
            n => $"the evidence ticket for {n.User} is not forwardable, so {n.Account} cannot delegate the user: the account is not "
                + $"allowed to use "
                + "protocol transition (any authentication protocol), or the user is protected from delegation",
            Remedies.TransitionOrUser) { Reason = EvidenceNotForwardable },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"no KDC is known for {n.Realm}",
            Remedies.Network) { Reason = KdcNotFound },
        new(KcdStage.Delegation, Unavailable, NoCredentials,
            n => $"no KDC of {n.Realm} can be reached, or none answered in time",
            Remedies.Network) { Reason = KdcUnreachable },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC encrypts tickets to {n.Account} with an encryption type of which this client has no key; the brackets name it",
            n => "With a password, keys are derived for the types that the client offers: add the type to "
                + "S4UClientOptions.EncryptionTypes. "
                + $"With a keytab, export it with a key of that type: {Remedies.ExportKeytab(n)}")
        { Reason = KeyUnavailable, In = Steps.FindingUser, When = RowCondition.KeyTypeIsMissing },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC encrypts tickets to {n.Account} with a key of another password than the configured one: "
                + "the password was changed",
            Remedies.RenewKey) { Reason = KeyUnavailable, In = Steps.FindingUser, When = RowCondition.KeyIsPassword },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC encrypts tickets to {n.Account} with a key of neither its current nor its previous managed password",
            Remedies.CompareControllers)
        { Reason = KeyUnavailable, In = Steps.FindingUser, When = RowCondition.KeyIsManagedPassword },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC encrypts tickets to {n.Account} with a newer key than the keytab contains",
            Remedies.NewKeytab) { Reason = KeyUnavailable, In = Steps.FindingUser },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the password file of {n.Account} contains msDS-ManagedPassword, the binary value of a group managed service account",
            n => "Kcd:ServiceAccount:PasswordFile is read as UTF-8 text. Remove it and configure Kcd:ServiceAccount:ManagedPassword: the "
                + "library then reads the password from the directory and follows its changes.")
        { Reason = KeyUnavailable, When = RowCondition.FileIsManagedPassword },
        .. ManagedPasswordFindings.Rows,
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"there is no usable password for {n.Account}: the password file is missing, empty, cannot be read, or is not UTF-8 text",
            n => "Check that Kcd:ServiceAccount:PasswordFile is the correct path, that this process can read the file, and that it "
                + "contains the account's "
                + "password as UTF-8 text in one line.")
        { Reason = KeyUnavailable, When = RowCondition.KeyIsPassword },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"there is no usable key for {n.Account}: the keytab or password file is missing, cannot be read, or contains "
                + "no AES key for this name",
            Remedies.FindKey) { Reason = KeyUnavailable },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC rejected the key of {n.Account} a moment ago; to avoid an account lock-out, the key is not tried again until "
                + $"it changes",
            Remedies.RenewKey) { Reason = KeyRejected },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC encrypts tickets to {n.Account} with a type other than AES, because the account is not declared to support AES; "
                + "RC4 is not implemented",
            n => AccountCommands.DeclareAes(n, n.AccountEntry)) { Reason = EncryptionTypeRefused, In = Steps.FindingUser },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC has no AES key for {n.Account}, or selected a type that is not allowed; RC4 is not implemented",
            n => AccountCommands.EnableAes(n, n.AccountEntry)) { Reason = EncryptionTypeRefused },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the user is the delegating account itself, which cannot delegate itself: {n.User}",
            n => "Sign in as another user, or use another account for delegation. Protocol transition (S4U2Self) is for other users "
                + "only (MS-SFU §3.1.5.1).")
        { Reason = IdentityMismatch, When = RowCondition.UserIsAccount },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the KDC of {n.Realm} finds {n.User} under another name; the brackets name the account",
            _ => "Name the user by the account's own name: correct the claim that is mapped, or the alias. An alias is not followed, "
                + "because a user must not become another account without a setting.")
        { Reason = IdentityMismatch, When = RowCondition.NameIsAlias },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the ticket identifies another account than {n.User}",
            n => "Two accounts share this name: one as its UPN and the other as its sAMAccountName, or with and without "
                + $"$. {Remedies.UserLookup(n)}") { Reason = IdentityMismatch },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"a realm or service name is configured differently from the name that the KDC of {n.Realm} uses",
            n => "Configure the name that the message gives. In Active Directory, a realm is the DNS name of the domain in upper case, "
                + "not its NetBIOS name; MIT compares realms with their case.") { Reason = NameMismatch },
        new(KcdStage.Delegation, Unavailable, TooManyAttempts,
            _ => "too many requests are waiting for the KDCs",
            n => $"Try again. If it persists, check why the KDCs of {n.RealmDns} are slow, or add a KDC under Kcd:Kdcs.")
        { Reason = Overloaded },
        new(KcdStage.Target, Configuration, BackendNotProven,
            n => $"the backend did not prove that it has the key of {n.Service}",
            n => "Treat the backend as an impostor until the cause is known. Check that the account that runs the backend holds the SPN "
                + $"(`setspn -Q {n.ServiceQuoted}`), and that no other host answers for it.")
        { Reason = ReplyRejected, In = Steps.AtTarget },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"a reply from a KDC of {n.Realm} failed its checks and was rejected",
            n => "Check whether a device between this machine and the KDCs changes traffic on port 88, and whether "
                + $"all domain controllers have the same patches. {Remedies.ReportBug(n)}") { Reason = ReplyRejected },
        new(KcdStage.Identity, NotAuthenticated, NoTicket,
            n => $"the ticket that was presented to {n.Account} was refused",
            n => "Request a new ticket to the account. If it persists, the keytab does not contain the key of the account's current "
                + "password. "
                + Remedies.NewKeytab(n)) { Reason = TokenRejected },
    ];
}
