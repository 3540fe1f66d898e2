using System.Collections.Concurrent;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Lifetime;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tickets;

/// <summary>The engine clients, one per delegating account and realm, created at first use. Thread-safe.</summary>
/// <remarks>A client whose settings are no longer in force is disposed after a delay.</remarks>
internal sealed class ServiceClients(DeferredDisposal retirement, ILoggerFactory loggerFactory, TimeProvider timeProvider)
    : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ClientSettings, ServiceClient> _open = new();

    // The same clients by reference to the settings, which a request finds without comparing their values.
    private readonly ConcurrentDictionary<ClientSettings, ServiceClient> _resolved = new(ReferenceEqualityComparer.Instance);
    private readonly ConcurrentDictionary<ServiceClient, bool> _retired = new();
    private readonly Lock _change = new();
    private readonly ILogger _logger = loggerFactory.CreateLogger(Log.Category);
    private HashSet<ClientSettings> _inForce = [];
    private bool _disposed;

    /// <summary>Gets the client for these settings, and creates it at first use.</summary>
    /// <exception cref="ObjectDisposedException">This object was disposed.</exception>
    public S4UClient Get(ClientSettings settings) => (_resolved.TryGetValue(settings, out var open) ? open : Open(settings)).Client;

    /// <summary>Drops tickets in every client, including clients of replaced settings.</summary>
    /// <param name="purge">Drops tickets of one client, and returns their number.</param>
    public int Purge(Func<S4UClient, int> purge)
    {
        lock (_change)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var dropped = _open.Values.Sum(client => purge(client.Client));
            foreach (var retired in _retired.Keys)
            {
                try
                {
                    dropped += purge(retired.Client);
                }
                catch (ObjectDisposedException)
                {
                    // Its delay ended at this moment, and with it its tickets.
                }
            }
            return dropped;
        }
    }

    /// <summary>Retires every client that the settings do not use.</summary>
    public void Apply(KcdSettings settings)
    {
        lock (_change)
        {
            _resolved.Clear();
            _inForce = [.. settings.Applications.Values.Select(application => application.Client)];
            foreach (var (key, client) in _open)
            {
                if (!_inForce.Contains(key) && _open.TryRemove(key, out _))
                    Retire(client);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_change)
        {
            _disposed = true;
            _resolved.Clear();
        }
        foreach (var client in _open.Values)
            await client.DisposeAsync().ConfigureAwait(false);
        _open.Clear();
    }

    private ServiceClient Open(ClientSettings settings)
    {
        lock (_change)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_open.TryGetValue(settings, out var open))
                return _resolved[settings] = open;
            // A request that began before the settings changed may still use the replaced ones.
            var inForce = _inForce.Contains(settings);
            if (!inForce && _retired.Keys.FirstOrDefault(client => client.Settings == settings) is { } replaced)
                return replaced;
            var client = new ServiceClient(settings, loggerFactory, timeProvider, closed => _retired.TryRemove(closed, out _));
            Log.ClientOpened(_logger, settings.AccountName, settings.Realm);
            if (inForce)
                _resolved[settings] = _open[settings] = client;
            else
                Retire(client);
            return client;
        }
    }

    private void Retire(ServiceClient client)
    {
        Log.ClientRetired(_logger, client.Settings.AccountName, client.Settings.Realm);
        _retired[client] = true;
        retirement.Add(client);
    }
}
