using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>The scenarios that run on every realm. The tests run them, and docs/interoperability.md contains their outcomes.</summary>
internal static class ScenarioTable
{
    private const string Alice = "alice@{0}";
    private const string Mit = "MIT 1.20";
    private const string Mit21 = "MIT 1.21";
    private const string Heimdal = "Heimdal 7.8";
    private const string Samba17 = "Samba 4.17";
    private const string Samba22 = "Samba 4.22";

    public static IReadOnlyList<Func<ScenarioRealm>> Realms { get; } =
    [
        () => new TestScenarioRealm(),
        () => new LabScenarioRealm(LabRealm.Mit, Mit),
        () => new LabScenarioRealm(LabRealm.Mit21, Mit21),
        () => new LabScenarioRealm(LabRealm.Heimdal, Heimdal),
        () => new LabScenarioRealm(LabRealm.Samba, Samba17),
        () => new LabScenarioRealm(LabRealm.Samba22, Samba22),
    ];

    public static IReadOnlyList<string> Columns { get; } = ["TestRealm", Mit, Mit21, Heimdal, Samba17, Samba22];

    public static IReadOnlyList<Scenario> Rows { get; } =
    [
        new("A target on the account's delegation list", Alice),
        new("The same over UDP", Alice) { Transport = KdcTransport.Udp },
        new("Account with a password, salt from the KDC", Alice) { Account = DelegatingAccount.ByPassword },
        new("Computer account", Alice) { Account = DelegatingAccount.Computer, Differences = WithoutDirectory() },
        new("Account renamed after its password was set", Alice) { Account = DelegatingAccount.Renamed,
            Differences = WithoutDirectory("TestRealm", ScenarioOutcome.NotApplicable) },

        new("UPN with the domain's suffix", "carol.smith@{1}@{0}") { User = realm =>
            KerberosPrincipal.Enterprise($"carol.smith@{realm.Domain}", realm.Realm),
            Differences = On(
            Mit, "KDC_ERR_C_PRINCIPAL_UNKNOWN in S4U2Self", Mit21, "KDC_ERR_C_PRINCIPAL_UNKNOWN in S4U2Self", Heimdal,
            "KDC_ERR_C_PRINCIPAL_UNKNOWN in S4U2Self") },
        new("UPN with another suffix", "joed@contoso.local@{0}") { User = realm =>
            KerberosPrincipal.Enterprise("joed@contoso.local", realm.Realm) },
        new("UPN with another suffix, without a realm", "joed@contoso.local@{0}") { User = _ =>
            KerberosPrincipal.Enterprise("joed@contoso.local") },
        new("SAM account name that differs from the UPN", "jd1001@{0}") { User = realm =>
            KerberosPrincipal.Principal("jd1001", realm.Realm) },
        new("Name outside ASCII", "jürgen@{0}") { User = realm => KerberosPrincipal.Principal("jürgen", realm.Realm) },
        new("Name in another script", "加藤@{0}") { User = realm => KerberosPrincipal.Principal("加藤", realm.Realm) },

        new("Target with AES128 keys only (17)", Alice) { Target = realm => realm.Spn("web-aes128") },
        new("Target with AES256 keys only (18)", Alice) { Target = realm => realm.Spn("web-aes256") },
        new("Target with AES128-SHA256 keys only (19)", Alice) { Target = realm =>
            realm.Spn("web-sha256"), Differences = NoSha2("KDC_ERR_S_PRINCIPAL_UNKNOWN in S4U2Proxy") },
        new("Target with AES256-SHA384 keys only (20)", Alice) { Target = realm =>
            realm.Spn("web-sha384"), Differences = NoSha2("KDC_ERR_S_PRINCIPAL_UNKNOWN in S4U2Proxy") },
        new("Client that offers AES128 only (17)", Alice) { OnlyType = EncryptionType.Aes128CtsHmacSha1 },
        new("Client that offers AES256 only (18)", Alice) { OnlyType = EncryptionType.Aes256CtsHmacSha1 },
        new("Client that offers AES128-SHA256 only (19)", Alice) { Account = DelegatingAccount.ByPassword,
            OnlyType = EncryptionType.Aes128CtsHmacSha256, Differences = NoSha2Client() },
        new("Client that offers AES256-SHA384 only (20)", Alice) { Account = DelegatingAccount.ByPassword,
            OnlyType = EncryptionType.Aes256CtsHmacSha384, Differences = NoSha2Client() },

        new("Target that lists the account (resource-based)", Alice) { Target = realm =>
            realm.Spn("rbcd"), Differences = On(Heimdal, "KDC_ERR_BADOPTION in S4U2Proxy", Samba17, "KDC_ERR_BADOPTION in S4U2Proxy") },
        new("The same, account without a delegation list",
            "KDC_ERR_BADOPTION in S4U2Proxy (EvidenceNotForwardable)") { Account = DelegatingAccount.ResourceBasedOnly, Target = realm =>
            realm.Spn("rbcd"), Differences = On(Mit, Alice, Mit21, Alice, "TestRealm", Alice) },

        new("Target on no list", "KDC_ERR_BADOPTION in S4U2Proxy") { Target = realm => realm.Spn("other") },
        new("Target that is not registered", "KDC_ERR_S_PRINCIPAL_UNKNOWN in S4U2Proxy") { Target = realm => realm.Spn("nosuch") },
        new("Account without \"any authentication protocol\"",
            "KDC_ERR_BADOPTION in S4U2Proxy (EvidenceNotForwardable)") { Account = DelegatingAccount.WithoutProtocolTransition },
        new("User who is sensitive and cannot be delegated", "KDC_ERR_BADOPTION in S4U2Proxy (EvidenceNotForwardable)") { User = realm =>
            KerberosPrincipal.Principal("sensitive", realm.Realm) },
        new("Unknown user", "KDC_ERR_C_PRINCIPAL_UNKNOWN in S4U2Self") { User = realm =>
            KerberosPrincipal.Principal("nosuch", realm.Realm) },
        new("Unknown UPN, without a realm", "KDC_ERR_C_PRINCIPAL_UNKNOWN in RealmDiscovery") { User = realm =>
            KerberosPrincipal.Enterprise($"nosuch@{realm.Domain}") },
        new("Disabled user", "KDC_ERR_CLIENT_REVOKED in S4U2Self") { User = realm => KerberosPrincipal.Principal("disabled", realm.Realm),
            Differences = On(
            Heimdal, "KDC_ERR_POLICY in S4U2Self", Samba17, "KDC_ERR_POLICY in S4U2Self", Samba22, "KDC_ERR_POLICY in S4U2Self") },
        new("The account itself as the user", "IdentityMismatch in S4U2Self") { User = realm =>
            KerberosPrincipal.Principal(realm.CreateAccount(DelegatingAccount.Connector)!.Name, realm.Realm) },
        new("Wrong password of the account", "KDC_ERR_PREAUTH_FAILED in LogOn") { Account = DelegatingAccount.WrongPassword },
        new("Account without AES keys", "EncryptionTypeRefused in LogOn") { Account = DelegatingAccount.WithoutAesKeys,
            Differences = On("TestRealm", "KDC_ERR_ETYPE_NOSUPP in LogOn", Heimdal, "KDC_ERR_ETYPE_NOSUPP in LogOn") },
        new("No KDC at the configured address", "KdcUnreachable in LogOn") { HasNoKdc = true },
    ];

    /// <summary>MIT and Heimdal have no accounts of computers, and no salt of a former name.</summary>
    private static Dictionary<string, string> WithoutDirectory(params string[] more) => On(
        [Mit, ScenarioOutcome.NotApplicable, Mit21, ScenarioOutcome.NotApplicable, Heimdal, ScenarioOutcome.NotApplicable, .. more]);

    /// <summary>Samba has no keys of types 19 and 20, and the lab there no such targets.</summary>
    private static Dictionary<string, string> NoSha2(string outcome) => On(Samba17, outcome, Samba22, outcome);

    /// <summary>Samba has no such keys. Heimdal encrypts tickets to the account with its AES256 key (18), whatever the client offers; a
    /// client with a password derives keys of the offered types only.</summary>
    private static Dictionary<string, string> NoSha2Client() => On(
        Heimdal, "KeyUnavailable in S4U2Self", Samba17, "KDC_ERR_ETYPE_NOSUPP in LogOn", Samba22, "KDC_ERR_ETYPE_NOSUPP in LogOn");

    private static Dictionary<string, string> On(params string[] columnsAndOutcomes)
    {
        var differences = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < columnsAndOutcomes.Length; i += 2)
            differences[columnsAndOutcomes[i]] = columnsAndOutcomes[i + 1];
        return differences;
    }
}
