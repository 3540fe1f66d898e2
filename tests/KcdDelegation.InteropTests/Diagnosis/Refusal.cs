using KcdDelegation.InteropTests.Scenarios;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>A refusal that the lab can provoke: how, what the client sees on each realm, and what it must say.</summary>
/// <param name="Name">How it is provoked; a sentence that goes into docs/troubleshooting.md.</param>
/// <param name="Stage">Where an administrator has to look.</param>
internal sealed record Refusal(string Name, KcdStage Stage)
{
    /// <summary>By column; a realm that is not named does not refuse, or has no such thing.</summary>
    public required IReadOnlyDictionary<string, Sight> Seen { get; init; }

    public Func<RefusalRealm, RefusalRequest> Request { get; init; } = static realm => new(realm);

    /// <summary>12027 where the account itself is stuck, else 13019.</summary>
    public int EventId { get; init; } = 13019;

    /// <summary>What the cause must name: {account}, {user}, {spn}, {realm} stand for those of the request.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>What the remedy must say, word for word, with the same placeholders.</summary>
    public IReadOnlyList<string> Remedy { get; init; } = [];
}

/// <summary>A request for a ticket that is going to be refused; by default alice, to a target on the list, by the lab's connector.</summary>
internal sealed record RefusalRequest(RefusalRealm Realm)
{
    public DelegatingAccount By { get; init; } = DelegatingAccount.Connector;

    /// <summary>An account of another name than the table of scenarios has.</summary>
    public Func<ServiceAccount>? Account { get; init; }

    public KerberosPrincipal User { get; init; } = KerberosPrincipal.Principal("alice", Realm.Realm);

    public string Target { get; init; } = Realm.Spn("web");

    public KdcEndpoint Kdc { get; init; } = Realm.Kdc;

    /// <summary>What the client believes to be the account's realm.</summary>
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
        return await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(User, ServicePrincipalName.Parse(Target), cancellationToken));
    }
}
