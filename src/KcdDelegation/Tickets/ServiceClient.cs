using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tickets;

/// <summary>An engine client together with its account, which the engine client does not own.</summary>
internal sealed class ServiceClient : IAsyncDisposable
{
    private readonly ServiceAccount _account;
    private readonly IManagedPasswordSource? _managedPasswords;
    private readonly Action<ServiceClient> _closed;

    public ServiceClient(ClientSettings settings, ILoggerFactory loggerFactory, TimeProvider timeProvider, Action<ServiceClient> closed)
    {
        (Settings, _closed) = (settings, closed);
        _managedPasswords = settings.ManagedPassword?.CreateSource(settings.ManagedPassword, loggerFactory, timeProvider);
        _account = CreateAccount(settings, _managedPasswords, timeProvider);
        var options = new S4UClientOptions
        {
            Realm = settings.Realm,
            Account = _account,
            PasswordServers = settings.PasswordRoll is { } roll ? [.. roll.Servers] : [],
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
        if (_managedPasswords is IAsyncDisposable source)
            await source.DisposeAsync().ConfigureAwait(false);
    }

    private static ServiceAccount CreateAccount(
        ClientSettings settings, IManagedPasswordSource? managedPasswords, TimeProvider timeProvider) => settings switch
    {
        _ when managedPasswords is not null =>
            ServiceAccount.FromManagedPassword(settings.AccountName, managedPasswords, timeProvider),
        { KeyKind: KeyFileKind.Keytab } => ServiceAccount.FromKeytab(settings.AccountName, settings.KeyPath),
        { PasswordRoll: { } roll } => ServiceAccount.FromRollingPasswordFile(
            settings.AccountName, settings.KeyPath,
            new PasswordRollOptions { Interval = roll.Interval, OldKeyLifetime = roll.OldKeyLifetime }, timeProvider),
        _ => ServiceAccount.FromPasswordFile(settings.AccountName, settings.KeyPath),
    };
}
