using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.Kerberos.KerberosFailureReason;

namespace KcdDelegation.Diagnosis;

/// <summary>What the engine found out by itself, whatever the KDC said.</summary>
internal static class ClientFindings
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, NoTicket,
            n => $"the ticket that stands for {n.User} is not forwardable, so {n.Account} cannot delegate him: the account may not use protocol "
                + "transition (any authentication protocol), or the user is protected from delegation",
            Remedies.TransitionOrUser) { Reason = EvidenceNotForwardable },
        new(KcdStage.Delegation, NoCredentials,
            n => $"no KDC of {n.Realm} is known",
            Remedies.Network) { Reason = KdcNotFound },
        new(KcdStage.Delegation, NoCredentials,
            n => $"no KDC of {n.Realm} can be reached, or none answers in time",
            Remedies.Network) { Reason = KdcUnreachable },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC has a newer key for {n.Account} than the keytab, and encrypts tickets to the account with it",
            Remedies.NewKeytab) { Reason = KeyUnavailable, In = Steps.FindingUser },
        new(KcdStage.Delegation, NoCredentials,
            n => $"there is no usable key for {n.Account}: the keytab or password file is missing, unreadable, or has "
                + "no AES key of this name",
            Remedies.FindKey) { Reason = KeyUnavailable },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC rejected the key of {n.Account} a moment ago, and it is not tried again before it changes, "
                + "so that the account is not locked out",
            Remedies.NewKeytab) { Reason = KeyRejected },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC does not know that {n.Account} can use AES, and encrypts tickets to it with another type; RC4 is not implemented",
            n => Remedies.DeclareAes(n.AccountCmdlet, n.AccountQuoted)) { Reason = EncryptionTypeRefused, In = Steps.FindingUser },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC has no AES key for {n.Account}, or chose a type that is not allowed; RC4 is not implemented",
            n => Remedies.EnableAes(n.AccountCmdlet, n.AccountQuoted)) { Reason = EncryptionTypeRefused },
        new(KcdStage.Identity, NoTicket,
            n => $"the ticket names another account than {n.User}, or the delegating account itself",
            n => "Two accounts share this name, as UPN of one and sAMAccountName of the other, or with and without "
                + $"$. {Remedies.UserLookup(n)}") { Reason = IdentityMismatch },
        new(KcdStage.Delegation, TooManyAttempts,
            _ => "too many requests wait for the KDCs",
            n => $"Try again; if it goes on, look why the KDCs of {n.RealmDns} are slow, or add one under Kcd:Kdcs.")
        { Reason = Overloaded },
        new(KcdStage.Target, NoTicket,
            n => $"the backend could not prove that it holds the key of {n.Service}",
            n => "Treat it as an impostor until it is explained. See whether the account that runs the backend holds the SPN "
                + $"(`setspn -Q {n.ServiceQuoted}`), or whether something on the way answers in its place.")
        { Reason = ReplyRejected, In = Steps.AtTarget },
        new(KcdStage.Delegation, NoTicket,
            n => $"a reply in the name of the KDC of {n.Realm} failed its checks, so it was not believed",
            n => "Look whether something between this machine and the KDCs changes traffic on port 88, and whether "
                + $"all controllers are patched alike. {Remedies.ReportBug(n)}") { Reason = ReplyRejected },
        new(KcdStage.Identity, NoTicket,
            n => $"the ticket that was presented to {n.Account} was refused",
            n => "Get a new ticket to the account. If it goes on, its keytab is not the one of its present password. "
                + Remedies.NewKeytab(n)) { Reason = TokenRejected },
    ];
}
