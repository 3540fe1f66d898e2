using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>A realm for the table of scenarios, in the lab or in this process.</summary>
internal abstract class ScenarioRealm : IAsyncDisposable
{
    /// <summary>The heading of its column in docs/interoperability.md.</summary>
    public abstract string Column { get; }

    public abstract string Realm { get; }

    public abstract KdcEndpoint Kdc { get; }

    public string Domain => Realm.ToLowerInvariant();

    public string Spn(string host) => $"HTTP/{host}.{Domain}";

    /// <summary>Skips the running test if the realm is not up, or fails it if the lab is required.</summary>
    public abstract void Require();

    /// <summary>Creates the account, or returns null if the realm has none.</summary>
    public abstract ServiceAccount? CreateAccount(DelegatingAccount account);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public override string ToString() => Column;
}
