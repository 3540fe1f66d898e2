using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tickets;

/// <summary>An engine client together with its account, which the engine client does not own.</summary>
internal sealed class ServiceClient : IAsyncDisposable
{
    private readonly ServiceAccount _account;
    private readonly Action<ServiceClient> _closed;

    public ServiceClient(ClientSettings settings, ILoggerFactory loggerFactory, TimeProvider timeProvider, Action<ServiceClient> closed)
    {
        (Settings, _closed) = (settings, closed);
        _account = settings.KeyKind == KeyFileKind.Keytab
            ? ServiceAccount.FromKeytab(settings.AccountName, settings.KeyPath)
            : ServiceAccount.FromPasswordFile(settings.AccountName, settings.KeyPath);
        var options = new S4UClientOptions
        {
            Realm = settings.Realm,
            Account = _account,
            LoggerFactory = loggerFactory,
            TimeProvider = timeProvider,
            Timeout = settings.Limits.Timeout,
            MaxClockCorrection = settings.Limits.MaxClockCorrection,
            Cache = settings.Limits.ToCacheOptions(),
        };
        foreach (var (realm, kdcs) in settings.Kdcs.ByRealm)
            options.Kdcs[realm] = kdcs;
        Client = new S4UClient(options);
    }

    public ClientSettings Settings { get; }

    public S4UClient Client { get; }

    public async ValueTask DisposeAsync()
    {
        _closed(this);
        await Client.DisposeAsync().ConfigureAwait(false);
        _account.Dispose();
    }
}
