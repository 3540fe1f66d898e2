using KcdDelegation.Kerberos;
using KcdDelegation.Testing;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>The embedded KDC with the same accounts as the lab, so that its behaviour is held against the real ones.</summary>
internal sealed class TestScenarioRealm : ScenarioRealm
{
    private static readonly string[] Targets = ["web", "web-aes128", "web-aes256", "web-sha256", "web-sha384"];

    private readonly TestRealm _realm;

    public TestScenarioRealm()
    {
        _realm = TestRealm.Start("CONTOSO.TEST");
        foreach (var user in (string[])["alice", "bob", "jürgen", "加藤"])
            _realm.User(user);
        _realm.User("jd1001", "joed@contoso.local").User("carol01", $"carol.smith@{Domain}").User("sensitive", sensitive: true)
            .User("protected", protectedUser: true).User("disabled", disabled: true);

        var list = Targets.Select(Spn).ToArray();
        EncryptionType[] allTypes =
            [EncryptionType.Aes256CtsHmacSha1, EncryptionType.Aes128CtsHmacSha1, EncryptionType.Aes256CtsHmacSha384,
            EncryptionType.Aes128CtsHmacSha256];
        _realm.Account("svc-connector", list, encryptionTypes: allTypes, password: Lab.Password)
            .Account("conncomp$", list, password: Lab.Password)
            .Account("svc-notrans", list, anyProtocol: false, password: Lab.Password)
            .Account("svc-rbcdonly", [], anyProtocol: false, password: Lab.Password)
            .Account("svc-connector-rc4", list, encryptionTypes: [EncryptionType.Rc4Hmac], password: Lab.Password);
        _realm.Service(Spn("web"), encryptionTypes: allTypes).Service(Spn("other")).Service(Spn("rbcd"), ["svc-connector", "svc-rbcdonly"]);
        _realm.Service(Spn("web-aes128"), encryptionTypes: [EncryptionType.Aes128CtsHmacSha1])
            .Service(Spn("web-aes256"), encryptionTypes: [EncryptionType.Aes256CtsHmacSha1])
            .Service(Spn("web-sha256"), encryptionTypes: [EncryptionType.Aes128CtsHmacSha256])
                .Service(Spn("web-sha384"), encryptionTypes: [EncryptionType.Aes256CtsHmacSha384]);
    }

    public override string Column => "TestRealm";

    public override string Realm => "CONTOSO.TEST";

    public override KdcEndpoint Kdc => _realm.Endpoint;

    public override void Require()
    {
    }

    public override ServiceAccount? CreateAccount(DelegatingAccount account) => account switch
    {
        DelegatingAccount.Connector or DelegatingAccount.ByPassword => ServiceAccount.FromPassword("svc-connector", Lab.Password),
        DelegatingAccount.WrongPassword => ServiceAccount.FromPassword("svc-connector", "not the password"),
        DelegatingAccount.WithoutProtocolTransition => ServiceAccount.FromPassword("svc-notrans", Lab.Password),
        DelegatingAccount.ResourceBasedOnly => ServiceAccount.FromPassword("svc-rbcdonly", Lab.Password),
        DelegatingAccount.WithoutAesKeys => ServiceAccount.FromPassword("svc-connector-rc4", Lab.Password),
        DelegatingAccount.Computer => ServiceAccount.FromPassword("conncomp$", Lab.Password),
        DelegatingAccount.Renamed => null,
        _ => throw new ArgumentOutOfRangeException(nameof(account), account, "Not an account of the scenarios."),
    };

    public override async ValueTask DisposeAsync()
    {
        await _realm.DisposeAsync();
        await base.DisposeAsync();
    }
}
