using KcdDelegation.Kerberos;

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
