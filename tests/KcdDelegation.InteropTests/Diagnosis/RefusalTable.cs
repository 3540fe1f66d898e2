using KcdDelegation.Diagnosis;
using KcdDelegation.InteropTests.Scenarios;
using KcdDelegation.Kerberos;
using static KcdDelegation.InteropTests.Diagnosis.RefusalRealm;
using static KcdDelegation.InteropTests.Diagnosis.RemedyText;
using static KcdDelegation.Kerberos.KerberosErrorCode;
using static KcdDelegation.Kerberos.KerberosExchange;
using static KcdDelegation.Kerberos.KerberosFailureReason;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>The refusals that the lab can provoke. The tests check them on the realms, and docs/troubleshooting.md lists them with the rows
/// of
/// the catalogue.</summary>
internal static class RefusalTable
{
    public static IReadOnlyList<string> Columns { get; } = [Test, Mit, Mit21, Heimdal, Samba17, Samba22];

    private static readonly RemedyText[] Lists =
    [
        OnActiveDirectory("`Set-ADUser -Identity '{account}' -Server {home} -Add @{'msDS-AllowedToDelegateTo'='{spn}'}`"),
        OnSamba("`samba-tool delegation add-service '{account}' '{spn}'`"),
        OnMit(@"krbAllowedToDelegateTo: {spn}@{realm}\n' | ldapmodify -Y EXTERNAL -H ldapi:///`"),
        OnHeimdal("`kadmin -l modify --constrained-delegation={spn}@{realm} '{account}'`"),
        OnSamba("`samba-tool delegation add-principal TARGET '{account}'`"),
        OnActiveDirectory("-PrincipalsAllowedToDelegateToAccount (Get-ADUser '{account}' -Server {home})`"),
    ];

    private static readonly RemedyText[] Transition =
    [
        OnActiveDirectory("`Set-ADAccountControl -Identity '{account}' -Server {home} -TrustedToAuthForDelegation $true`"),
        OnSamba("`samba-tool delegation for-any-protocol '{account}' on`"),
        OnMit("`kadmin.local modprinc +ok_to_auth_as_delegate '{account}'`"),
        OnHeimdal("`kadmin -l modify --attributes=+trusted-for-delegation '{account}'`"),
    ];

    private static readonly RemedyText[] Sensitive =
    [
        OnActiveDirectory("`Set-ADAccountControl -Identity '{user}' -Server {userdomain} -AccountNotDelegated $false`"),
        OnSamba("`samba-tool user sensitive '{user}' off`"),
        OnMit("`kadmin.local modprinc +allow_forwardable '{user}'`"),
        OnHeimdal("`kadmin -l modify --attributes=-disallow-forwardable '{user}'`"),
    ];

    private static readonly RemedyText[] Keytab =
    [
        OnActiveDirectory("`ktpass -princ {account}@{realm} -mapuser '{account}'"),
        OnSamba("`samba-tool domain exportkeytab connector.keytab --principal='{account}'`"),
        OnMit("`kadmin.local ktadd -norandkey -k connector.keytab '{account}'`"),
        OnHeimdal("`kadmin -l ext_keytab --keytab=connector.keytab '{account}'`"),
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
            Seen = On(Real(new(S4U2Proxy, BadOption, EvidenceNotForwardable)),
                (Test, new(S4U2Proxy, BadOption, EvidenceNotForwardable, NtStatusNames.AccountRestriction))),
            Request = realm => new(realm) { By = DelegatingAccount.WithoutProtocolTransition },
            Names = ["{account}", "{user}"], Remedy = Transition,
        },
        new("A user who is sensitive and cannot be delegated", KcdStage.Delegation)
        {
            Seen = On(Real(new(S4U2Proxy, BadOption, EvidenceNotForwardable)),
                (Test, new(S4U2Proxy, BadOption, EvidenceNotForwardable, NtStatusNames.AccountRestriction))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("sensitive", realm.Realm) },
            Names = ["{account}", "{user}"], Remedy = [.. Sensitive, .. Transition],
        },
        new("A member of Protected Users", KcdStage.Delegation)
        {
            Seen = On((Test, new(S4U2Proxy, BadOption, EvidenceNotForwardable, NtStatusNames.AccountRestriction))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("protected", realm.Realm) },
            Names = ["{account}", "{user}"],
                Remedy =
                [
                    OnActiveDirectory("`Get-ADUser -Identity '{user}' -Server {userdomain} -Properties AccountNotDelegated, MemberOf`"),
                ],
        },

        // ---- Names.
        new("A target whose SPN is not registered", KcdStage.Delegation)
        {
            Seen = Everywhere(new(S4U2Proxy, ServicePrincipalUnknown)),
            Request = realm => new(realm) { Target = realm.Spn("nosuch") },
            Names = ["{spn}"],
            Remedy = [OnActiveDirectory("`setspn -F -Q '{spn}'`"), OnActiveDirectory("`setspn -S '{spn}' TARGET`"),
                OnSamba("`samba-tool spn add '{spn}' TARGET`"), OnMit("`kadmin.local addprinc -randkey '{spn}'`")],
        },
        new("A target with the class HTTPS", KcdStage.Delegation)
        {
            Seen = Everywhere(new(S4U2Proxy, ServicePrincipalUnknown, When: RowCondition.ServiceClassIsHttps)),
            Request = realm => new(realm) { Target = realm.Spn("web").Replace("HTTP/", "HTTPS/", StringComparison.Ordinal) },
            Names = ["{spn}", "the class of web services is HTTP"], Remedy = ["usually 'HTTP/web."], NotInRemedy = ["setspn -S", "spn add"],
        },
        new("A target with a port that is not registered", KcdStage.Delegation)
        {
            Seen = Everywhere(new(S4U2Proxy, ServicePrincipalUnknown, When: RowCondition.ServiceHasPort)),
            Request = realm => new(realm) { Target = $"{realm.Spn("web")}:8443" },
            Names = ["{spn}", "without a port"], Remedy = ["usually 'HTTP/web."], NotInRemedy = ["setspn -S", "spn add"],
        },
        new("A realm in lower case", KcdStage.Delegation)
        {
            Seen = On(
                (Mit, new(LogOn, ClientPrincipalUnknown, When: RowCondition.RealmIsLowerCase)),
                (Mit21, new(LogOn, ClientPrincipalUnknown, When: RowCondition.RealmIsLowerCase)),
                (Heimdal, new(LogOn, ClientPrincipalUnknown, When: RowCondition.RealmIsLowerCase))),
            Request = realm => new(realm) { HomeRealm = realm.Scenario.Domain, By = DelegatingAccount.ByPassword },
            EventId = 12027, Names = ["{realm}", "case-sensitive"], Remedy = ["Set Kcd:Realm to {upper}."],
        },
        new("A target that has RC4 keys only", KcdStage.Delegation)
        {
            Seen = On((Heimdal, new(S4U2Proxy, EncryptionTypeNotSupported)), (Samba17, new(S4U2Proxy, EncryptionTypeNotSupported)),
                (Samba22, new(S4U2Proxy, EncryptionTypeNotSupported))),
            Request = realm => new(realm) { Target = realm.Spn("web-rc4") },
            Names = ["{spn}", "no AES key"],
            Remedy = [OnSamba("`net ads enctypes set TARGET 24 -U administrator`"), OnHeimdal("`kadmin -l cpw --random-key '{spn}'`")],
        },
        new("A user that the realm does not have", KcdStage.Identity)
        {
            Seen = Everywhere(new(S4U2Self, ClientPrincipalUnknown)),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("nosuch", realm.Realm) },
            Names = ["{user}", "{realm}"], Remedy = [OnActiveDirectory("`Get-ADUser -Identity '{user}' -Server {userdomain}`")],
        },
        new("A user principal name that no account has, without a realm", KcdStage.Identity)
        {
            Seen = Everywhere(new(RealmDiscovery, ClientPrincipalUnknown)),
            Request = realm => new(realm) { User = KerberosPrincipal.Enterprise($"nosuch@{realm.Scenario.Domain}") },
            Names = ["{user}", "{realm}"],
            Remedy = [OnActiveDirectory("-UserPrincipalName '{user}'`"), OnSamba("--upn='{user}'`"),
                OnMit(@"krbPrincipalName: {user}@{realm}\n")],
        },
        new("The delegating account itself as the user", KcdStage.Identity)
        {
            Seen = Everywhere(new(S4U2Self, null, IdentityMismatch, When: RowCondition.UserIsAccount)),
            Request = realm =>
                new(realm) { User = KerberosPrincipal.Principal(realm.CreateAccount(DelegatingAccount.Connector).Name, realm.Realm) },
            Names = ["{user}", "the user is the delegating account itself"], Remedy = ["Sign in as another user"],
                NotInRemedy = ["Get-ADUser"],
        },
        new("An account that the realm does not have", KcdStage.Delegation)
        {
            Seen = Everywhere(new(LogOn, ClientPrincipalUnknown)),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromPassword("svc-nosuch", Lab.Password) },
            EventId = 12027, Names = ["{account}", "{realm}"],
            Remedy = ["Kcd:ServiceAccount:Name", OnActiveDirectory("`Get-ADUser '{account}' -Server {domain}`"),
                OnSamba("`samba-tool user show '{account}'`"), OnMit("`kadmin.local getprinc '{account}'`")],
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
            Names = ["{account}"],
                Remedy = [OnActiveDirectory("`setspn -S HTTP/GATEWAY '{account}'`"),
                OnSamba("`samba-tool spn add HTTP/GATEWAY '{account}'`")],
        },

        // ---- The user's account.
        new("A disabled user", KcdStage.Identity)
        {
            Seen = On((Test, new(S4U2Self, ClientRevoked, NtStatus: NtStatusNames.AccountDisabled)), (Mit, new(S4U2Self, ClientRevoked)),
                (Mit21, new(S4U2Self, ClientRevoked)), (Heimdal, new(S4U2Self, Policy)), (Samba17, new(S4U2Self, Policy)),
                (Samba22, new(S4U2Self, Policy))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("disabled", realm.Realm) },
            Names = ["{user}", "disabled"],
            Remedy = [OnActiveDirectory("`Enable-ADAccount -Identity '{user}' -Server {userdomain}`"),
                OnSamba("`samba-tool user enable '{user}'`"),
                OnMit("`kadmin.local modprinc +allow_tix '{user}'`")],
        },
        new("A user who has expired", KcdStage.Identity)
        {
            Seen = On(Real(new(S4U2Self, ClientExpired))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("expired", realm.Realm) },
            Names = ["{user}", "expired"],
            Remedy = [OnActiveDirectory("`Clear-ADAccountExpiration -Identity '{user}' -Server {userdomain}`"),
                OnSamba("`samba-tool user setexpiry '{user}' --noexpiry`"), OnMit("`kadmin.local modprinc -expire never '{user}'`")],
        },
        new("A user whose password has expired", KcdStage.Identity)
        {
            Seen = On((Samba17, new(S4U2Proxy, KeyExpired)), (Samba22, new(S4U2Proxy, KeyExpired))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("pwexpired", realm.Realm) },
            Names = ["{user}", "password"],
            Remedy = [OnActiveDirectory("`Set-ADAccountPassword -Identity '{user}' -Server {userdomain} -Reset`"),
                OnSamba("`samba-tool user setpassword '{user}'`"), OnMit("`kadmin.local modprinc -pwexpire never '{user}'`")],
        },

        // ---- The delegating account.
        new("The account's password is wrong", KcdStage.Delegation)
        {
            Seen = Everywhere(new(LogOn, PreAuthenticationFailed, When: RowCondition.KeyIsPassword)),
            Request = realm => new(realm) { By = DelegatingAccount.WrongPassword },
            EventId = 12027, Names = ["{account}", "the password is wrong"], Remedy = ["Kcd:ServiceAccount:PasswordFile"],
                NotInRemedy = ["ktpass", "ktadd"],
        },
        new("A keytab without the account", KcdStage.Delegation)
        {
            Seen = On(Real(new(Configuration, null, KeyUnavailable))),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromKeytab("svc-nosuch", realm.LabRealm.Keytab("connector")) },
            EventId = 12027, Names = ["{account}"], Remedy = Keytab, NotInRemedy = ["AES256-SHA1 -pass"],
        },
        new("A keytab whose key was created with a guessed salt", KcdStage.Delegation)
        {
            Seen = On(Real(new(LogOn, PreAuthenticationFailed))),
            Request = realm => new(realm)
            {
                Account = () =>
                {
                    using var account = realm.CreateAccount(DelegatingAccount.ByPassword);
                    return ServiceAccount.FromKeytab(account.Name, KeyFiles.WriteKeytabWithGuessedSalt(account.Name, realm.Realm));
                },
            },
            EventId = 12027, Names = ["{account}", "another salt", "the salt of the KDC's key is"],
            Remedy = ["If the versions agree", "`addent -password -p {account}@{realm} -k VERSION"], NotInRemedy = ["AES256-SHA1 -pass"],
        },
        new("A blob of msDS-ManagedPassword as the password file", KcdStage.Delegation)
        {
            Seen = Everywhere(new(Configuration, null, KeyUnavailable, When: RowCondition.FileIsManagedPassword)),
            Request = realm => new(realm)
            {
                Account = static () => ServiceAccount.FromPasswordFile("svc-connector", KeyFiles.WriteManagedPassword()),
            },
            EventId = 12027, Names = ["{account}", "group managed service account"], Remedy = ["Kcd:ServiceAccount:PasswordFile"],
                NotInRemedy = ["ktpass", "ktadd"],
        },
        new("An account without AES keys", KcdStage.Delegation)
        {
            Seen = On(
                (Mit, new(LogOn, null, EncryptionTypeRefused)), (Mit21, new(LogOn, null, EncryptionTypeRefused)),
                    (Heimdal, new(LogOn, EncryptionTypeNotSupported)),
                (Samba17, new(LogOn, null, EncryptionTypeRefused)), (Samba22, new(LogOn, null, EncryptionTypeRefused)),
                    (Test, new(LogOn, EncryptionTypeNotSupported))),
            Request = realm => new(realm) { By = DelegatingAccount.WithoutAesKeys },
            EventId = 12027, Names = ["{account}", "RC4"],
            Remedy = [OnActiveDirectory("`Set-ADUser -Identity '{account}' -Server {home} -KerberosEncryptionType AES128,AES256`"),
                OnSamba("`samba-tool user setpassword '{account}'`"),
                OnMit("`kadmin.local cpw -randkey -e aes256-cts:normal,aes128-cts:normal '{account}'`")],
        },
        new("A client that offers types 19 and 20 only, on a KDC without them", KcdStage.Delegation)
        {
            Seen = On((Samba17, new(LogOn, EncryptionTypeNotSupported)), (Samba22, new(LogOn, EncryptionTypeNotSupported))),
            Request = realm => new(realm) { By = DelegatingAccount.ByPassword, OnlyType = EncryptionType.Aes256CtsHmacSha384 },
            EventId = 12027, Names = ["{account}"], Remedy = [OnActiveDirectory("-KerberosEncryptionType AES128,AES256`")],
        },
        new("The account is disabled", KcdStage.Delegation)
        {
            Seen = On((Mit, new(LogOn, ClientRevoked)), (Mit21, new(LogOn, ClientRevoked)),
                (Samba17, new(LogOn, ClientRevoked, NtStatus: NtStatusNames.AccountDisabled)),
                (Samba22, new(LogOn, ClientRevoked, NtStatus: NtStatusNames.AccountDisabled))),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromPassword("disabled", Lab.Password) },
            EventId = 12027, Names = ["the account {account}"],
            Remedy = [OnActiveDirectory("`Enable-ADAccount -Identity '{account}' -Server {home}`"),
                OnSamba("`samba-tool user enable '{account}'`"),
                OnMit("`kadmin.local modprinc +allow_tix '{account}'`")],
        },
        new("The account has expired", KcdStage.Delegation)
        {
            Seen = On((Mit, new(LogOn, ClientExpired)), (Mit21, new(LogOn, ClientExpired)), (Heimdal, new(LogOn, ClientExpired)),
                (Samba17, new(LogOn, ClientRevoked, NtStatus: NtStatusNames.AccountExpired)),
                (Samba22, new(LogOn, ClientRevoked, NtStatus: NtStatusNames.AccountExpired))),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromPassword("expired", Lab.Password) },
            EventId = 12027, Names = ["the account {account}", "has expired"],
            Remedy = [OnActiveDirectory("`Clear-ADAccountExpiration -Identity '{account}' -Server {home}`"),
                OnSamba("`samba-tool user setexpiry '{account}' --noexpiry`"), OnMit("`kadmin.local modprinc -expire never '{account}'`")],
        },
        new("The account's password has expired", KcdStage.Delegation)
        {
            Seen = On((Mit, new(LogOn, KeyExpired)), (Mit21, new(LogOn, KeyExpired)), (Heimdal, new(LogOn, KeyExpired)),
                (Samba17, new(LogOn, KeyExpired, NtStatus: NtStatusNames.PasswordMustChange)),
                (Samba22, new(LogOn, KeyExpired, NtStatus: NtStatusNames.PasswordMustChange))),
            Request = realm => new(realm) { Account = () => ServiceAccount.FromPassword("pwexpired", Lab.Password) },
            EventId = 12027, Names = ["the account {account}", "password"],
            Remedy = [OnActiveDirectory("`Set-ADAccountPassword -Identity '{account}' -Server {home} -Reset`"),
                OnSamba("`samba-tool user setpassword '{account}'`"), OnMit("`kadmin.local modprinc -pwexpire never '{account}'`")],
        },

        // ---- Network and clocks.
        new("No KDC at the configured address", KcdStage.Delegation)
        {
            Seen = Everywhere(new(LogOn, null, KdcUnreachable)),
            Request = realm => new(realm) { Kdc = new KdcEndpoint("127.0.0.1", 9) },
            EventId = 12027, Names = ["{realm}", "127.0.0.1:9"],
                Remedy = ["port 88", "`nslookup -type=SRV _kerberos._tcp.{domain}`", "Kcd:Kdcs"],
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
            Names = ["{realm}", "alice@NOWHERE.TEST"],
                Remedy = [OnActiveDirectory("`Get-ADTrust -Filter * -Server {domain}`"), OnSamba("`samba-tool domain trust list`"),
                OnMit("`kadmin.local getprinc krbtgt/OTHER`")],
        },
        new("A user of the other realm, which has no alias for the account", KcdStage.Delegation)
        {
            Seen = On((Mit, new(S4U2Self, ServicePrincipalUnknown, When: RowCondition.RealmIsForeign))),
            Request = realm => new(realm)
            {
                User = KerberosPrincipal.Principal("alice", realm.Other!.Realm),
                Account = () =>
                    ServiceAccount.FromKeytab(realm.LabRealm.GetAccount("connector-roll"), realm.LabRealm.Keytab("connector-roll")),
            },
            Names = ["{account}", "has no alias for"], Remedy = ["Add an alias for {account}@MIT.TEST to that realm", "krbtgt/"],
        },
        new("A user of the other realm, whose KDC does not support S4U2Self across trusts", KcdStage.Identity)
        {
            Seen = On((Samba22, new(S4U2Self, ClientPrincipalUnknown))),
            Request = realm => new(realm) { User = KerberosPrincipal.Principal("alice", realm.Other!.Realm) },
            Names = ["{user}@PARTNER.TEST", "across the trust"], Remedy = [OnActiveDirectory("`Get-ADUser -Identity '{user}'")],
        },
        new("A target of the other realm that does not list the account, or whose KDC does not support resource-based delegation across "
            + "trusts", KcdStage.Delegation)
        {
            Seen = On((Mit, new(S4U2Proxy, BadOption)), (Samba22, new(S4U2Proxy, BadOption))),
            Request = realm => new(realm) { Target = realm.Other!.Spn("other") },
            Names = ["{account}", "{spn}"], Remedy = Lists[4..],
        },
    ];

    private static Dictionary<string, Sight> Everywhere(Sight sight) => On(Real(sight), (Test, sight));

    private static (string Column, Sight Sight)[] Real(Sight sight) =>
        [(Mit, sight), (Mit21, sight), (Heimdal, sight), (Samba17, sight), (Samba22, sight)];

    private static Dictionary<string, Sight> On((string Column, Sight Sight)[] sights, params (string Column, Sight Sight)[] more) =>
        On([.. sights, .. more]);

    private static Dictionary<string, Sight> On(params (string Column, Sight Sight)[] sights) =>
        sights.ToDictionary(pair => pair.Column, pair => pair.Sight, StringComparer.Ordinal);
}
