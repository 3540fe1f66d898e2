using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>One row of the table: account, user and target of a request, and its expected outcome.</summary>
/// <param name="Name">The heading of the row.</param>
/// <param name="Expected">The outcome in the format of <see cref="ScenarioOutcome"/>. "{0}" is the realm.</param>
internal sealed record Scenario(string Name, string Expected)
{
    public DelegatingAccount Account { get; init; } = DelegatingAccount.Connector;

    /// <summary>The user. By default alice, as a principal of the realm.</summary>
    public Func<ScenarioRealm, KerberosPrincipal> User { get; init; } = static realm => KerberosPrincipal.Principal("alice", realm.Realm);

    public Func<ScenarioRealm, string> Target { get; init; } = static realm => realm.Spn("web");

    /// <summary>The only encryption type that the client offers, or null for all four.</summary>
    public EncryptionType? OnlyType { get; init; }

    public KdcTransport Transport { get; init; } = KdcTransport.Tcp;

    /// <summary>Whether the configured address has no KDC.</summary>
    public bool HasNoKdc { get; init; }

    /// <summary>The outcomes of realms that differ from <see cref="Expected"/>, by column.</summary>
    public IReadOnlyDictionary<string, string> Differences { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public string ExpectedOn(ScenarioRealm realm) =>
        (Differences.TryGetValue(realm.Column, out var other) ? other : Expected).Replace("{0}", realm.Realm, StringComparison.Ordinal)
            .Replace("{1}", realm.Domain, StringComparison.Ordinal);
}
