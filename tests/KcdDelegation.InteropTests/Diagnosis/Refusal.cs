using KcdDelegation.InteropTests.Scenarios;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>A refusal that the lab can provoke: how it is provoked, what the client sees on each realm, and what the explanation must
/// contain.</summary>
/// <param name="Name">How it is provoked; printed in docs/troubleshooting.md.</param>
/// <param name="Stage">The stage of the explanation.</param>
internal sealed record Refusal(string Name, KcdStage Stage)
{
    /// <summary>By column. A realm that is absent does not refuse, or cannot have this state.</summary>
    public required IReadOnlyDictionary<string, Sight> Seen { get; init; }

    public Func<RefusalRealm, RefusalRequest> Request { get; init; } = static realm => new(realm);

    /// <summary>12027 if the account itself is affected, otherwise 13019.</summary>
    public int EventId { get; init; } = 13019;

    /// <summary>What the cause must contain. {account}, {user}, {spn} and {realm} are replaced by those of the request.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>What the remedy must contain literally, with the same placeholders. Commands of another directory than the KDC's must be
    /// absent
    /// if the KDC has shown its implementation.</summary>
    public IReadOnlyList<RemedyText> Remedy { get; init; } = [];

    /// <summary>What the remedy must not contain.</summary>
    public IReadOnlyList<string> NotInRemedy { get; init; } = [];
}

/// <summary>A request for a ticket that is expected to be refused. By default the lab's connector delegates alice to a target on its
/// list.</summary>
internal sealed record RefusalRequest(RefusalRealm Realm)
{
    public DelegatingAccount By { get; init; } = DelegatingAccount.Connector;

    /// <summary>Creates an account that the table of scenarios does not have.</summary>
    public Func<ServiceAccount>? Account { get; init; }

    public KerberosPrincipal User { get; init; } = KerberosPrincipal.Principal("alice", Realm.Realm);

    public string Target { get; init; } = Realm.Spn("web");

    public KdcEndpoint Kdc { get; init; } = Realm.Kdc;

    /// <summary>The realm that is configured for the account.</summary>
    public string HomeRealm { get; init; } = Realm.Realm;

    public EncryptionType? OnlyType { get; init; }

    public TimeSpan MaxClockCorrection { get; init; } = TimeSpan.FromHours(1);

    public ServiceAccount CreateAccount() => Account?.Invoke() ?? Realm.CreateAccount(By);

    public async Task<KerberosException> RefusedAsync(ServiceAccount account, CancellationToken cancellationToken)
    {
        var options = new S4UClientOptions { Realm = HomeRealm, Account = account, MaxClockCorrection = MaxClockCorrection };
        if (OnlyType is { } type)
            options = new S4UClientOptions { Realm = HomeRealm, Account = account, EncryptionTypes = [type] };
        options.Kdcs[HomeRealm] = [Kdc];
        if (Realm.Other is { } other)
            options.Kdcs[other.Realm] = [other.Kdc];
        await using var client = new S4UClient(options);
        return await Should.ThrowAsync<KerberosException>(
            async () => await client.GetTicketAsync(User, ServicePrincipalName.Parse(Target), cancellationToken));
    }
}
