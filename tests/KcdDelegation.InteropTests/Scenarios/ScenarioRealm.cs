using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>One realm that the table of scenarios runs on, real or in process.</summary>
internal abstract class ScenarioRealm : IAsyncDisposable
{
    /// <summary>Head of its column in docs/interoperability.md.</summary>
    public abstract string Column { get; }

    public abstract string Realm { get; }

    public abstract KdcEndpoint Kdc { get; }

    public string Domain => Realm.ToLowerInvariant();

    public string Spn(string host) => $"HTTP/{host}.{Domain}";

    /// <summary>Skips the running test, or fails it where the lab is required, unless the realm is up.</summary>
    public abstract void Require();

    /// <summary>Null where the realm has no such account.</summary>
    public abstract ServiceAccount? CreateAccount(DelegatingAccount account);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public override string ToString() => Column;
}
