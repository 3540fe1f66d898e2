using System.Collections.Concurrent;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing.Exchanges;

namespace KcdDelegation.Testing;

/// <summary>The clients that a realm makes for its tests, and what they need: disposed with the realm.</summary>
internal sealed class RealmClients(RealmState realm) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, S4UClient> _shared = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentBag<ServiceAccount> _accounts = [];

    /// <summary>One for all calls with that account.</summary>
    public S4UClient Shared(string account) => _shared.GetOrAdd(account, name => new S4UClient(CreateOptions(name)));

    public S4UClientOptions CreateOptions(string account)
    {
        var options = new S4UClientOptions { Realm = realm.Name, Account = CreateServiceAccount(account) };
        foreach (var reachable in realm.Reachable())
            options.Kdcs[reachable.Name] = [reachable.Endpoint];
        return options;
    }

    public ServiceAccount CreateServiceAccount(string name)
    {
        var entry = realm.Accounts.Get(name);
        var password = entry.Keys.Current.Password
            ?? throw new ArgumentException($"{entry.Name} has random keys and no password: add it with Account, or write a keytab.", nameof(name));
        var account = ServiceAccount.FromPassword(entry.Name, password);
        _accounts.Add(account);
        return account;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _shared.Values)
            await client.DisposeAsync().ConfigureAwait(false);
        foreach (var account in _accounts)
            account.Dispose();
    }
}
