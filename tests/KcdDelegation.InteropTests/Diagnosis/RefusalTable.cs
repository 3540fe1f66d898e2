using KcdDelegation.Diagnosis;
using KcdDelegation.InteropTests.Scenarios;
using KcdDelegation.Kerberos;
using static KcdDelegation.InteropTests.Diagnosis.RefusalRealm;
using static KcdDelegation.Kerberos.KerberosErrorCode;
using static KcdDelegation.Kerberos.KerberosExchange;
using static KcdDelegation.Kerberos.KerberosFailureReason;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>The refusals that the lab can provoke. The tests check them on the realms, and docs/troubleshooting.md lists them with the rows of
/// the catalogue.</summary>
internal static class RefusalTable
{
    public static IReadOnlyList<string> Columns { get; } = [Test, Mit, Samba17, Samba22];

    private static readonly string[] Lists =
    [
        "`Set-ADUser -Identity '{account}' -Add @{'msDS-AllowedToDelegateTo'='{spn}'}`",
        "`samba-tool delegation add-service '{account}' '{spn}'`",
        "`krbAllowedToDelegateTo: {spn}@{realm}`",
        "`samba-tool delegation add-principal TARGET '{account}'`",
        "-PrincipalsAllowedToDelegateToAccount (Get-ADUser '{account}')`",
    ];

    private static readonly string[] Transition =
    [
        "`Set-ADAccountControl -Identity '{account}' -TrustedToAuthForDelegation $true`",
        "`samba-tool delegation for-any-protocol '{account}' on`",
        "`kadmin.local modprinc +ok_to_auth_as_delegate '{account}'`",
    ];

    private static readonly string[] Sensitive =
    [
        "`Set-ADAccountControl -Identity '{user}' -AccountNotDelegated $false`",
        "`samba-tool user sensitive '{user}' off`",
        "`kadmin.local modprinc +allow_forwardable '{user}'`",
    ];

    private static readonly string[] Keytab =
    [
        "`ktpass -princ {account}@{realm} -mapuser '{account}'",
        "`samba-tool domain exportkeytab connector.keytab --principal='{account}'`",
        "`kadmin.local ktadd -norandkey -k connector.keytab '{account}'`",
    ];

    public static IReadOnlyList<Refusal> Rows { get; } =
    [
        // ---- The right to delegate.
        new("A target on no list", KcdStage.Delegation)
        {
            Seen = On(Real(new(S4U2Proxy, BadOption)), (Test, new(S4U2Proxy, BadOption, NtStatus: NtStatusNames.NotFound))),
            Request = realm => new(realm) { Target = realm.Spn("other") },
            Names = ["{account}", "{spn}"], Remedy = Lists,
        },
        new("A target that lists the account, on a KDC without resource-based delegation", KcdStage.Delegation)
        {
            Seen = On((Samba17, new(S4U2Proxy, BadOption))),
            Request = realm => new(realm) { Target = realm.Spn("rbcd") },
            Names = ["{account}", "{spn}", "Samba before 4.19"], Remedy = Lists,
        },
        new("An account without \"any authentication protocol\"", KcdStage.Delegation)
        {
            Seen = On(Real(new(S4U2Proxy, BadOption, EvidenceNotForwardable)), (Test, new(S4U2Proxy, BadOption, EvidenceNotForwardable, NtStatusNames.AccountRestriction))),
            Request = realm => new(realm) { By = DelegatingAccount.WithoutProtocolTransition },
            Names = ["{account}", "{user}"], Remedy = Transition,
        },
        new("A user who is sensitive and cannot be delegated", KcdStage.Delegation)
        {
            Seen = On(Real(new(S4U2Proxy, BadOption, EvidenceNotForwardable)), (Test, new(S4U2Proxy, BadOption, EvidenceNotForwardable, NtStatusNames.AccountRestriction))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("sensitive", realm.Realm) },
            Names = ["{account}", "{user}"], Remedy = [.. Sensitive, .. Transition],
        },
        new("A member of Protected Users", KcdStage.Delegation)
        {
            Seen = On((Test, new(S4U2Proxy, BadOption, EvidenceNotForwardable, NtStatusNames.AccountRestriction))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("protected", realm.Realm) },
            Names = ["{account}", "{user}"], Remedy = ["`Get-ADUser -Identity '{user}' -Properties AccountNotDelegated, MemberOf`"],
        },

        // ---- Names.
        new("A target whose SPN is not registered", KcdStage.Delegation)
        {
            Seen = Everywhere(new(S4U2Proxy, ServicePrincipalUnknown)),
            Request = realm => new(realm) { Target = realm.Spn("nosuch") },
            Names = ["{spn}"],
            Remedy = ["`setspn -Q '{spn}'`", "`setspn -S '{spn}' TARGET`", "`samba-tool spn add '{spn}' TARGET`", "`kadmin.local addprinc -randkey '{spn}'`"],
        },
        new("A user that the realm does not have", KcdStage.Identity)
        {
            Seen = Everywhere(new(S4U2Self, ClientPrincipalUnknown)),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("nosuch", realm.Realm) },
            Names = ["{user}", "{realm}"], Remedy = ["`Get-ADUser -Identity '{user}' -Server {domain}`"],
        },
        new("A user principal name that no account has, without a realm", KcdStage.Identity)
        {
            Seen = Everywhere(new(RealmDiscovery, ClientPrincipalUnknown)),
            Request = realm => new(realm) { User = KerberosPrincipal.Enterprise($"nosuch@{realm.Scenario.Domain}") },
            Names = ["{user}", "{realm}"],
            Remedy = ["-UserPrincipalName '{user}'`", "--upn='{user}'`", "`krbPrincipalName: {user}@{realm}`"],
        },
        new("The delegating account itself as the user", KcdStage.Identity)
        {
            Seen = Everywhere(new(S4U2Self, null, IdentityMismatch)),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal(realm.CreateAccount(DelegatingAccount.Connector).Name, realm.Realm) },
            Names = ["{user}"], Remedy = ["`Get-ADUser -Identity '{user}' -Server {domain}`"],
        },
        new("An account that the realm does not have", KcdStage.Delegation)
        {
            Seen = Everywhere(new(LogOn, ClientPrincipalUnknown)),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromPassword("svc-nosuch", Lab.Password) },
            EventId = 12027, Names = ["{account}", "{realm}"],
            Remedy = ["Kcd:ServiceAccount:Name", "`Get-ADUser '{account}' -Server {domain}`", "`samba-tool user show '{account}'`", "`kadmin.local getprinc '{account}'`"],
        },
        new("A realm that the KDC does not serve", KcdStage.Delegation)
        {
            Seen = On(Real(new(LogOn, ClientPrincipalUnknown))),
            Request = realm => new(realm) { HomeRealm = "WRONG.TEST", By = DelegatingAccount.ByPassword },
            EventId = 12027, Names = ["{account}", "WRONG.TEST"], Remedy = ["Kcd:Realm"],
        },
        new("An account without a service principal name", KcdStage.Delegation)
        {
            Seen = On((Samba17, new(S4U2Self, ServicePrincipalUnknown)), (Samba22, new(S4U2Self, ServicePrincipalUnknown))),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromPassword("bob", Lab.Password) },
            Names = ["{account}"], Remedy = ["`setspn -S HTTP/GATEWAY '{account}'`", "`samba-tool spn add HTTP/GATEWAY '{account}'`"],
        },

        // ---- The user's account.
        new("A disabled user", KcdStage.Identity)
        {
            Seen = On((Test, new(S4U2Self, ClientRevoked, NtStatus: NtStatusNames.AccountDisabled)), (Mit, new(S4U2Self, ClientRevoked)), (Samba17, new(S4U2Self, Policy)), (Samba22, new(S4U2Self, Policy))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("disabled", realm.Realm) },
            Names = ["{user}", "disabled"],
            Remedy = ["`Enable-ADAccount -Identity '{user}'`", "`samba-tool user enable '{user}'`", "`kadmin.local modprinc +allow_tix '{user}'`"],
        },
        new("A user who has expired", KcdStage.Identity)
        {
            Seen = On(Real(new(S4U2Self, ClientExpired))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("expired", realm.Realm) },
            Names = ["{user}", "expired"],
            Remedy = ["`Clear-ADAccountExpiration -Identity '{user}'`", "`samba-tool user setexpiry '{user}' --noexpiry`", "`kadmin.local modprinc -expire never '{user}'`"],
        },
        new("A user whose password has expired", KcdStage.Identity)
        {
            Seen = On((Samba17, new(S4U2Proxy, KeyExpired)), (Samba22, new(S4U2Proxy, KeyExpired))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("pwexpired", realm.Realm) },
            Names = ["{user}", "password"],
            Remedy = ["`Set-ADAccountPassword -Identity '{user}' -Reset`", "`samba-tool user setpassword '{user}'`", "`kadmin.local modprinc -pwexpire never '{user}'`"],
        },

        // ---- The delegating account.
        new("The account's password is wrong", KcdStage.Delegation)
        {
            Seen = Everywhere(new(LogOn, PreAuthenticationFailed)),
            Request = realm => new(realm) { By = DelegatingAccount.WrongPassword },
            EventId = 12027, Names = ["{account}"], Remedy = Keytab,
        },
        new("A keytab without the account", KcdStage.Delegation)
        {
            Seen = On(Real(new(Configuration, null, KeyUnavailable))),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromKeytab("svc-nosuch", realm.LabRealm.Keytab("connector")) },
            EventId = 12027, Names = ["{account}"], Remedy = Keytab,
        },
        new("An account without AES keys", KcdStage.Delegation)
        {
            Seen = On(Real(new(LogOn, null, EncryptionTypeRefused)), (Test, new(LogOn, EncryptionTypeNotSupported))),
            Request = realm => new(realm) { By = DelegatingAccount.WithoutAesKeys },
            EventId = 12027, Names = ["{account}", "RC4"],
            Remedy = ["`Set-ADUser -Identity '{account}' -KerberosEncryptionType AES128,AES256`", "`samba-tool user setpassword '{account}'`", "`kadmin.local cpw -randkey -e aes256-cts:normal,aes128-cts:normal '{account}'`"],
        },
        new("A client that offers types 19 and 20 only, on a KDC without them", KcdStage.Delegation)
        {
            Seen = On((Samba17, new(LogOn, EncryptionTypeNotSupported)), (Samba22, new(LogOn, EncryptionTypeNotSupported))),
            Request = realm => new(realm) { By = DelegatingAccount.ByPassword, OnlyType = EncryptionType.Aes256CtsHmacSha384 },
            EventId = 12027, Names = ["{account}"], Remedy = ["-KerberosEncryptionType AES128,AES256`"],
        },
        new("The account is disabled", KcdStage.Delegation)
        {
            Seen = On((Mit, new(LogOn, ClientRevoked)), (Samba17, new(LogOn, ClientRevoked, NtStatus: NtStatusNames.AccountDisabled)), (Samba22, new(LogOn, ClientRevoked, NtStatus: NtStatusNames.AccountDisabled))),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromPassword("disabled", Lab.Password) },
            EventId = 12027, Names = ["the account {account}"],
            Remedy = ["`Enable-ADAccount -Identity '{account}'`", "`samba-tool user enable '{account}'`", "`kadmin.local modprinc +allow_tix '{account}'`"],
        },
        new("The account has expired", KcdStage.Delegation)
        {
            Seen = On((Mit, new(LogOn, ClientExpired)), (Samba17, new(LogOn, ClientRevoked, NtStatus: NtStatusNames.AccountExpired)), (Samba22, new(LogOn, ClientRevoked, NtStatus: NtStatusNames.AccountExpired))),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromPassword("expired", Lab.Password) },
            EventId = 12027, Names = ["the account {account}", "has expired"],
            Remedy = ["`Clear-ADAccountExpiration -Identity '{account}'`", "`samba-tool user setexpiry '{account}' --noexpiry`", "`kadmin.local modprinc -expire never '{account}'`"],
        },
        new("The account's password has expired", KcdStage.Delegation)
        {
            Seen = On((Mit, new(LogOn, KeyExpired)), (Samba17, new(LogOn, KeyExpired, NtStatus: NtStatusNames.PasswordMustChange)), (Samba22, new(LogOn, KeyExpired, NtStatus: NtStatusNames.PasswordMustChange))),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromPassword("pwexpired", Lab.Password) },
            EventId = 12027, Names = ["the account {account}", "password"],
            Remedy = ["`Set-ADAccountPassword -Identity '{account}' -Reset`", "`samba-tool user setpassword '{account}'`", "`kadmin.local modprinc -pwexpire never '{account}'`"],
        },

        // ---- Network and clocks.
        new("No KDC at the configured address", KcdStage.Delegation)
        {
            Seen = Everywhere(new(LogOn, null, KdcUnreachable)),
            Request = realm => new(realm) { Kdc = new KdcEndpoint("127.0.0.1", 9) },
            EventId = 12027, Names = ["{realm}", "127.0.0.1:9"], Remedy = ["port 88", "`nslookup -type=SRV _kerberos._tcp.{domain}`", "Kcd:Kdcs"],
        },
        new("A KDC ten minutes ahead, and a limit of one minute for clock correction", KcdStage.Delegation)
        {
            Seen = On((Mit, new(LogOn, Skew))),
            Request = realm => new(realm) { Kdc = LabFaults.TenMinutesAhead, MaxClockCorrection = TimeSpan.FromMinutes(1) },
            Names = ["{realm}", "exceeds the maximum correction of 00:01:00"], Remedy = ["NTP", "`chronyc tracking`"],
        },

        // ---- Trusts.
        new("A user of a realm to which no trust leads", KcdStage.Delegation)
        {
            Seen = On(Real(new(Referral, ServicePrincipalUnknown))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("alice", "NOWHERE.TEST") },
            Names = ["{realm}", "alice@NOWHERE.TEST"], Remedy = ["`Get-ADTrust -Filter * -Server {domain}`", "`samba-tool domain trust list`", "`kadmin.local getprinc krbtgt/OTHER`"],
        },
        new("A user of the other realm, whose KDC does not support S4U2Self across trusts", KcdStage.Identity)
        {
            Seen = On((Samba22, new(S4U2Self, ClientPrincipalUnknown))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("alice", realm.Other!.Realm) },
            Names = ["{user}@PARTNER.TEST", "across the trust"], Remedy = ["`Get-ADUser -Identity '{user}'"],
        },
        new("A target of the other realm that does not list the account, or whose KDC does not support resource-based delegation across trusts", KcdStage.Delegation)
        {
            Seen = On((Mit, new(S4U2Proxy, BadOption)), (Samba22, new(S4U2Proxy, BadOption))),
            Request = realm => new(realm) { Target = realm.Other!.Spn("other") },
            Names = ["{account}", "{spn}"], Remedy = Lists[3..],
        },
    ];

    private static Dictionary<string, Sight> Everywhere(Sight sight) => On(Real(sight), (Test, sight));

    private static (string Column, Sight Sight)[] Real(Sight sight) => [(Mit, sight), (Samba17, sight), (Samba22, sight)];

    private static Dictionary<string, Sight> On((string Column, Sight Sight)[] sights, params (string Column, Sight Sight)[] more) => On([.. sights, .. more]);

    private static Dictionary<string, Sight> On(params (string Column, Sight Sight)[] sights) => sights.ToDictionary(pair => pair.Column, pair => pair.Sight, StringComparer.Ordinal);
}
