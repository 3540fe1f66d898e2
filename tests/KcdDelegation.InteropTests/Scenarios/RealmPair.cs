using KcdDelegation.Kerberos;
using KcdDelegation.Testing;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>Two realms that trust each other; the delegating account lives in the first.</summary>
internal abstract class RealmPair(string column, string home, string other) : IAsyncDisposable
{
    public string Column => column;

    public string Home => home;

    public string Other => other;

    public string HomeSpn(string host) => $"HTTP/{host}.{home.ToLowerInvariant()}";

    public string OtherSpn(string host) => $"HTTP/{host}.{other.ToLowerInvariant()}";

    public abstract void Require();

    public abstract S4UClientOptions CreateOptions();

    public abstract ValueTask DisposeAsync();
}

internal sealed class LabRealmPair(string column, LabRealm home, LabRealm other) : RealmPair(column, home.Realm, other.Realm)
{
    private readonly ServiceAccount _account = ServiceAccount.FromKeytab(home.Connector, home.Keytab("connector"));

    public override void Require() => Lab.Require(home.Part, other.Part);

    public override S4UClientOptions CreateOptions()
    {
        var options = new S4UClientOptions { Realm = home.Realm, Account = _account };
        options.Kdcs[home.Realm] = [home.Kdc];
        options.Kdcs[other.Realm] = [other.Kdc];
        return options;
    }

    public override ValueTask DisposeAsync()
    {
        _account.Dispose();
        return ValueTask.CompletedTask;
    }
}

internal sealed class TestRealmPair : RealmPair
{
    private readonly TestRealm _home;
    private readonly TestRealm _other;

    public TestRealmPair(string column)
        : base(column, "CONTOSO.TEST", "FABRIKAM.TEST")
    {
        _home = TestRealm.Start(Home).User("alice").Account("svc-connector", [HomeSpn("web")]).Service(HomeSpn("web"));
        _other = TestRealm.Start(Other).User("alice").User("sensitive", sensitive: true)
            .Service(OtherSpn("rbcd"), [$"svc-connector@{Home}"]).Service(OtherSpn("other"));
        _home.Trusts(_other);
    }

    public override void Require()
    {
    }

    public override S4UClientOptions CreateOptions()
    {
        var options = new S4UClientOptions { Realm = Home, Account = _home.CreateServiceAccount("svc-connector") };
        options.Kdcs[Home] = [_home.Endpoint];
        options.Kdcs[Other] = [_other.Endpoint];
        return options;
    }

    public override async ValueTask DisposeAsync()
    {
        await _home.DisposeAsync();
        await _other.DisposeAsync();
    }
}
