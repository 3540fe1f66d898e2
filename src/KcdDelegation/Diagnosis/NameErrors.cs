using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.KcdErrorKind;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>Names that the KDC does not find, or finds more than once.</summary>
internal static class NameErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC does not know {n.Realm}, because the name of a realm is case-sensitive and usually in upper case",
            n => $"Set Kcd:Realm to {n.RealmUpperCase}.")
        { Code = ClientPrincipalUnknown, In = Steps.LoggingOn, When = RowCondition.RealmIsLowerCase },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC does not serve {n.Realm}, because the name of a realm is case-sensitive and usually in upper case",
            n => $"Set Kcd:Realm to {n.RealmUpperCase}.")
        { Code = ServicePrincipalUnknown, In = Steps.LoggingOn, When = RowCondition.RealmIsLowerCase },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC cannot find {n.Account} in {n.Realm}",
            n => "Set Kcd:ServiceAccount:Name to the account's sAMAccountName (computers with $), not to an SPN, and Kcd:Realm to the "
                + "account's "
                + "realm. To check: " + Remedies.Run(
                    n,
                    $"Get-{n.AccountCmdlet} {n.AccountQuoted} -Server {n.RealmDns}",
                    $"samba-tool user show {n.AccountQuoted}",
                    $"kadmin.local getprinc {n.AccountQuoted}",
                    $"kadmin -l get {n.AccountQuoted}"))
        { Code = ClientPrincipalUnknown, In = Steps.LoggingOn },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"no account in {n.Realm} has the user principal name of {n.User}",
            Remedies.NameUser) { Code = ClientPrincipalUnknown, In = Steps.Discovery },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the KDC cannot find {n.User} in {n.Realm}, or does not support protocol transition across the trust for a user of "
                + $"another "
                + "realm (Samba), or does not allow the account to read the user's group memberships (Active Directory)",
            n => Remedies.NameUser(n) + (Remedies.HasActiveDirectoryTools(n)
                ? $" If the user exists, allow the account to read the memberships. {Remedies.AllowGroupMemberships(n)}"
                : ""))
        { Code = ClientPrincipalUnknown },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the KDC that was asked does not serve {n.Realm}",
            _ => "Set Kcd:Realm to the DNS name of the domain in upper case, and Kcd:Kdcs to KDCs of that domain.")
        { Code = ServicePrincipalUnknown, In = Steps.LoggingOn },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the user's KDC in {n.Realm} has no alias for {n.Account}, so it cannot refer the user to the account's realm",
            Remedies.NameAccountAbroad) { Code = ServicePrincipalUnknown, In = Steps.FindingUser, When = RowCondition.RealmIsForeign },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC cannot issue a ticket to {n.Account}, because the account has no service principal name",
            Remedies.NameAccount) { Code = ServicePrincipalUnknown, In = Steps.FindingUser },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"there is no trust from {n.Realm} to the realm of {n.User} or of {n.Service}",
            n => "Check the spelling of the realms, then the trusts: "
                + Remedies.Run(
                    n,
                    $"Get-ADTrust -Filter * -Server {n.RealmDns}",
                    "samba-tool domain trust list",
                    "kadmin.local getprinc krbtgt/OTHER",
                    "kadmin -l get krbtgt/OTHER")
                + " S4U2Self requires a two-way trust.")
        { Code = ServicePrincipalUnknown, In = Steps.BetweenRealms },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"no account holds the SPN of {n.Service}: the class of web services is HTTP, also for addresses with https",
            Remedies.CorrectService) { Code = ServicePrincipalUnknown, When = RowCondition.ServiceClassIsHttps },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"no account holds the SPN of {n.Service}: most SPNs are registered without a port",
            Remedies.CorrectService) { Code = ServicePrincipalUnknown, When = RowCondition.ServiceHasPort },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the account that runs {n.Service} is disabled",
            AccountCommands.EnableTarget) { Code = ServicePrincipalUnknown, When = RowCondition.KdcSays("SERVER LOCKED OUT") },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"no account holds the SPN of {n.Service}, or the account that holds it is disabled or has no key that the client can use",
            Remedies.FindService) { Code = ServicePrincipalUnknown },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"two accounts have the same name: the SPN of {n.Service}, or the UPN of {n.User}",
            n => $"Find the duplicates and remove one: `setspn -X -F`; `setspn -F -Q {n.ServiceQuoted}`; `{n.GetUser}`.")
        { Code = PrincipalNotUnique },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the referrals for {n.User} do not lead to a realm that knows the user",
            n => "Check the routing of the UPN suffix across the trusts (`netdom trust`, name suffix routing), or list "
                + "the suffix under Kcd:Realms:REALM:UserPrincipalSuffixes.") { Code = WrongRealm },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC does not recognize {n.Account} as the service that the ticket is for",
            n => $"Set Kcd:ServiceAccount:Name to the account's sAMAccountName (`setspn -L {n.AccountQuoted}` lists its SPNs). "
                + $"{Remedies.NameAccount(n)}")
        { Code = BadMatch },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the evidence ticket belongs to another account than {n.Account}",
            _ => "Present a ticket to the delegating account itself, not to another account of the host.") { Code = ServerNoMatch },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC issues only user-to-user tickets to {n.Account}: the account has no SPN or is not allowed to be a service",
            Remedies.NameAccount) { Code = MustUseUserToUser, In = Steps.FindingUser },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC issues only user-to-user tickets to {n.Service}: the account that runs it is not allowed to be a service",
            n => Remedies.Run(
                n,
                $"setspn -S {n.ServiceQuoted} TARGET",
                $"samba-tool spn add {n.ServiceQuoted} TARGET",
                $"kadmin.local modprinc +allow_svr {n.ServiceQuoted}",
                $"kadmin -l modify --attributes=-disallow-svr {n.ServiceQuoted}")) { Code = MustUseUserToUser },
    ];
}
