using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>One row of the table: who asks for whom to what, and what comes of it.</summary>
/// <param name="Name">A sentence, the row's head.</param>
/// <param name="Expected">What comes of it, in the words of <see cref="ScenarioOutcome"/>; "{0}" is the realm.</param>
internal sealed record Scenario(string Name, string Expected)
{
    public DelegatingAccount Account { get; init; } = DelegatingAccount.Connector;

    /// <summary>Null: alice as a principal of the realm.</summary>
    public Func<ScenarioRealm, KerberosPrincipal> User { get; init; } = static realm => KerberosPrincipal.Principal("alice", realm.Realm);

    public Func<ScenarioRealm, string> Target { get; init; } = static realm => realm.Spn("web");

    /// <summary>Offered by the client; null: all four.</summary>
    public EncryptionType? OnlyType { get; init; }

    public KdcTransport Transport { get; init; } = KdcTransport.Tcp;

    /// <summary>Asks a port where nothing listens.</summary>
    public bool NobodyListens { get; init; }

    /// <summary>Where a realm differs from <see cref="Expected"/>, by its column.</summary>
    public IReadOnlyDictionary<string, string> Differences { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public string ExpectedOn(ScenarioRealm realm) =>
        (Differences.TryGetValue(realm.Column, out var other) ? other : Expected).Replace("{0}", realm.Realm, StringComparison.Ordinal).Replace("{1}", realm.Domain, StringComparison.Ordinal);
}
