using System.Collections.Concurrent;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing.Exchanges;

namespace KcdDelegation.Testing.Clients;

/// <summary>The clients, accounts and keytabs that a realm creates for tests. Disposed with the realm.</summary>
internal sealed class RealmClients(RealmState realm) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, S4UClient> _shared = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentBag<ServiceAccount> _accounts = [];
    private readonly KeytabFolder _keytabs = new();

    /// <summary>Gets the client that all calls with this account share.</summary>
    public S4UClient GetShared(string account) => _shared.GetOrAdd(account, name => new S4UClient(CreateClientOptions(name)));

    public S4UClientOptions CreateClientOptions(string account)
    {
        var options = new S4UClientOptions { Realm = realm.Name, Account = CreateServiceAccount(account) };
        foreach (var reachable in realm.Reachable())
            options.Kdcs[reachable.Name] = [reachable.Endpoint];
        return options;
    }

    /// <summary>Points settings to this realm: its KDC, those of the trusted realms, the account and its keytab.</summary>
    public void Configure(KcdOptions options, string account)
    {
        var entry = realm.Accounts.Get(account);
        options.Realm = realm.Name;
        options.ServiceAccount = new ServiceAccountOptions { Name = entry.Name, Keytab = _keytabs.Write(realm, entry) };
        options.Kdcs.Clear();
        options.Kdcs.Add(realm.Endpoint.ToString());
        foreach (var other in realm.Reachable().Where(other => other != realm))
        {
            if (!options.Realms.TryGetValue(other.Name, out var settings))
                options.Realms[other.Name] = settings = new RealmOptions();
            settings.Kdcs.Clear();
            settings.Kdcs.Add(other.Endpoint.ToString());
        }
    }

    public ServiceAccount CreateServiceAccount(string name)
    {
        var entry = realm.Accounts.Get(name);
        var password = entry.Keys.Current.Password ?? throw new ArgumentException(
            $"The account {entry.Name} has random keys and no password. Add it with Account, or use its keytab (WriteKeytabAsync).",
            nameof(name));
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
        _keytabs.Dispose();
    }
}
