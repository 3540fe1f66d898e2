using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.KcdErrorKind;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>Policies, trusts, encryption types, and requests that a KDC does not support.</summary>
internal static class PolicyErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"selective authentication on the trust does not allow {n.Account} to access {n.Realm}",
            n => $"Grant the account \"Allowed to authenticate\" on the account that `setspn -F -Q {n.ServiceQuoted}` lists.")
        { Code = Policy, NtStatus = NtStatusNames.AuthenticationFirewallFailed },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the KDC of {n.Realm} is not allowed to issue tickets for {n.User}: the account is disabled (Samba and Heimdal report "
                + $"it this way), the "
                + "user belongs to another realm, or an authentication policy silo applies",
            n => $"{Remedies.EnableUser(n)} {Remedies.UserLookup(n)} Then check authentication policies and silos.") { Code = Policy,
                In = Steps.FindingUser },
        new(KcdStage.Delegation, UserNotPermitted, NoTicket,
            n => $"a policy of {n.Realm} denies the ticket for {n.User} to {n.Service}, or the user's account was disabled after its "
                + $"evidence ticket was issued "
                + "(Samba and Heimdal report it this way)",
            n => $"{Remedies.EnableUser(n)} If the user is enabled, check authentication policies and silos, and the trust between the "
                + $"realms. {Remedies.Sensor} "
                + Remedies.ReportBug(n))
        { Code = Policy, In = Steps.AtProxy },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"a policy of {n.Realm} denies the ticket to {n.Account}",
            n => $"Check authentication policies and silos, and the trust between the realms. {Remedies.Sensor} {Remedies.ReportBug(n)}")
        { Code = Policy },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDCs do not accept the trust path between the realms of {n.Account} and {n.Service}",
            _ => "Make the trust transitive (forest trust), or add the path to [capaths] in the KDC's krb5.conf.")
        { Code = PathNotAccepted },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC and the client have no encryption type in common for {n.Account}; RC4 is not implemented",
            n => $"{AccountCommands.EnableAes(n, n.AccountEntry)} {Remedies.Rc4(n)}") { Code = EncryptionTypeNotSupported,
                In = Steps.LoggingOn },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC is not allowed to encrypt tickets to {n.Account} with AES: the account is declared for RC4 only",
            n => $"{AccountCommands.DeclareAes(n, n.AccountEntry)} {Remedies.Rc4(n)}") { Code = EncryptionTypeNotSupported,
                In = Steps.FindingUser },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC has no AES key for {n.Service}, or is not allowed to use it",
            n => $"{Remedies.FindHolder(n)} {AccountCommands.EnableAes(n, n.TargetEntry)} {Remedies.Rc4(n)}")
        { Code = EncryptionTypeNotSupported },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC of {n.Realm} does not support S4U or resource-based delegation",
            _ => "Use domain controllers of Windows Server 2012 R2 or later, Samba 4.19 or later, MIT krb5 with an LDAP database, or "
                + "Heimdal 7 or later.")
        { Code = PaDataTypeNotSupported },
    ];
}
