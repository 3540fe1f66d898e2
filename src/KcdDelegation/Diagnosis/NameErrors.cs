using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>Names that the KDC does not know, or knows twice.</summary>
internal static class NameErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC does not find {n.Account} in {n.Realm}",
            n => "Write the sAMAccountName (computers with $) in Kcd:ServiceAccount:Name, not an SPN, and the account's realm in "
                + $"Kcd:Realm; look: Active Directory `Get-{n.AccountCmdlet} {n.AccountQuoted} -Server {n.RealmDns}`; Samba `samba-tool user show {n.AccountQuoted}`; "
                + $"MIT krb5 `kadmin.local getprinc {n.AccountQuoted}`.")
        { Code = ClientPrincipalUnknown, In = Steps.LoggingOn },
        new(KcdStage.Identity, NoTicket,
            n => $"no account of {n.Realm} has the user principal name of {n.User}",
            Remedies.NameUser) { Code = ClientPrincipalUnknown, In = Steps.Discovery },
        new(KcdStage.Identity, NoTicket,
            n => $"the KDC does not find {n.User} in {n.Realm}, or, for a user of another realm, cannot vouch for users across the trust (Samba)",
            Remedies.NameUser) { Code = ClientPrincipalUnknown },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC that was asked does not serve {n.Realm}",
            _ => "Write the domain's DNS name in capitals in Kcd:Realm, and KDCs of that domain in Kcd:Kdcs.")
        { Code = ServicePrincipalUnknown, In = Steps.LoggingOn },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC knows {n.Account} by no service principal name, so no ticket to it can be made",
            Remedies.NameAccount) { Code = ServicePrincipalUnknown, In = Steps.FindingUser },
        new(KcdStage.Delegation, NoTicket,
            n => $"no trust leads from {n.Realm} to the realm of {n.User} or of {n.Service}",
            n => $"See that the realms are spelt right, then the trusts: Active Directory `Get-ADTrust -Filter * -Server {n.RealmDns}`; Samba `samba-tool domain trust list`; "
                + "MIT krb5 `kadmin.local getprinc krbtgt/OTHER`. S4U2Self needs a two-way trust.")
        { Code = ServicePrincipalUnknown, In = Steps.BetweenRealms },
        new(KcdStage.Delegation, NoTicket,
            n => $"no account holds the SPN of {n.Service}, or one that is disabled or has no key that the client can use",
            Remedies.FindService) { Code = ServicePrincipalUnknown },
        new(KcdStage.Delegation, NoTicket,
            n => $"two accounts have the same name: the SPN of {n.Service}, or the UPN of {n.User}",
            n => $"Find the doubles and remove one: `setspn -X -F`; `setspn -Q {n.ServiceQuoted}`; `{n.GetUser}`.")
        { Code = PrincipalNotUnique },
        new(KcdStage.Delegation, NoTicket,
            n => $"the referrals for {n.User} lead nowhere",
            n => "Check the routing of the UPN suffix over the trusts (`netdom trust`, name suffix routing), or list "
                + "the suffix under Kcd:Realms:REALM:UserPrincipalSuffixes.") { Code = WrongRealm },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC takes {n.Account} for another service than itself",
            n => $"Write its sAMAccountName in Kcd:ServiceAccount:Name (`setspn -L {n.AccountQuoted}` lists its SPNs). {Remedies.NameAccount(n)}") { Code = BadMatch },
        new(KcdStage.Delegation, NoTicket,
            n => $"the evidence ticket belongs to another account than {n.Account}",
            _ => "Present a ticket to the delegating account itself, not to another of the host's accounts.") { Code = ServerNoMatch },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC wants user-to-user tickets for {n.Account}, which has no SPN or may not be a service",
            Remedies.NameAccount) { Code = MustUseUserToUser, In = Steps.FindingUser },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC wants user-to-user tickets for {n.Service}: the account that runs it may not be a service",
            n => $"{Remedies.FindService(n)} MIT krb5: `kadmin.local modprinc +allow_svr {n.ServiceQuoted}`.") { Code = MustUseUserToUser },
    ];
}
