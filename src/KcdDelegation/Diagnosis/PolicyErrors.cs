using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>Policies, trusts, and what a KDC cannot do.</summary>
internal static class PolicyErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, NoTicket,
            n => $"by selective authentication, the trust keeps {n.Account} out of {n.Realm}",
            n => $"Grant the account \"Allowed to authenticate\" on the one that `setspn -Q {n.ServiceQuoted}` names.")
        { Code = Policy, NtStatus = NtStatusNames.AuthenticationFirewallFailed },
        new(KcdStage.Identity, NoTicket,
            n => $"the KDC of {n.Realm} may not issue tickets for {n.User}: a disabled account (Samba says it so), a user of another realm, "
                + "or an authentication policy silo",
            n => $"{Remedies.EnableUser(n)} {Remedies.UserLookup(n)} Then look at authentication policies and silos.") { Code = Policy, In = Steps.FindingUser },
        new(KcdStage.Delegation, NoTicket,
            n => $"a policy of {n.Realm} forbids the ticket to {n.Service}",
            n => $"Look at authentication policies and silos, and at the trust between the realms. {Remedies.ReportBug(n)}")
        { Code = Policy },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDCs do not accept the way between the realms of {n.Account} and {n.Service}",
            _ => "Make the trust transitive (forest trust), or write the path into capaths of the KDC's krb5.conf.")
        { Code = PathNotAccepted },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC has no encryption type in common with the client for {n.Account}; RC4 is not implemented",
            n => Remedies.EnableAes(n.AccountCmdlet, n.AccountQuoted)) { Code = EncryptionTypeNotSupported, In = Steps.LoggingOn },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC has no AES key for {n.Service}",
            n => $"`setspn -Q {n.ServiceQuoted}` names the account that runs it. {Remedies.EnableAes("ADUser", "TARGET")}") { Code = EncryptionTypeNotSupported },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC of {n.Realm} does not know S4U or resource-based delegation",
            _ => "Use controllers of Windows Server 2012 R2 or later, Samba 4.19 or later, or MIT krb5 with an LDAP database.")
        { Code = PaDataTypeNotSupported },
    ];
}
