using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.DirectoryServices.ManagedPasswords;

/// <summary>The source of managed passwords that settings describe, with its reader and client.</summary>
internal sealed class ConfiguredPasswordSource : IManagedPasswordSource, IAsyncDisposable
{
    private readonly ServiceAccount _account;
    private readonly S4UClient _reader;
    private readonly DirectoryClient _directory;
    private readonly DirectoryPasswordSource _source;

    private ConfiguredPasswordSource(ManagedPasswordSettings settings, ILoggerFactory loggerFactory, TimeProvider timeProvider)
    {
        _account = ServiceAccount.FromKeytab(settings.Reader, settings.ReaderKeytab);
        var options = new S4UClientOptions
        {
            Realm = settings.Realm,
            Account = _account,
            LoggerFactory = loggerFactory,
            TimeProvider = timeProvider,
            Timeout = settings.Limits.Timeout,
            MaxClockCorrection = settings.Limits.MaxClockCorrection,
        };
        foreach (var (realm, kdcs) in settings.Kdcs.ByRealm)
            options.Kdcs[realm] = kdcs;
        _reader = new S4UClient(options);
        // In Active Directory, the realm is the domain's DNS name in capitals.
        var domain = settings.Realm.ToLowerInvariant();
        var directory = new DirectoryClientOptions
        {
            Reader = _reader,
            Domain = domain,
            Timeout = settings.Limits.Timeout,
            LoggerFactory = loggerFactory,
            TimeProvider = timeProvider,
        };
        foreach (var text in settings.Servers.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (DirectoryServer.TryParse(text, out var server))
                directory.Servers.Add(server);
        }
        _directory = new DirectoryClient(directory);
        _source = new DirectoryPasswordSource(_directory, domain, settings.Reader);
    }

    public static IManagedPasswordSource Create(
        ManagedPasswordSettings settings, ILoggerFactory loggerFactory, TimeProvider timeProvider) =>
        new ConfiguredPasswordSource(settings, loggerFactory, timeProvider);

    public Task<ManagedPassword> ReadAsync(string account, CancellationToken cancellationToken) =>
        _source.ReadAsync(account, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _directory.DisposeAsync().ConfigureAwait(false);
        await _reader.DisposeAsync().ConfigureAwait(false);
        _account.Dispose();
    }
}
