using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Recording;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary>The engine's client with the account of the command line, for the duration of one command.</summary>
internal sealed class DelegationSession : IAsyncDisposable
{
    private readonly ServiceAccount _account;
    private readonly IManagedPasswordSource? _managedPasswords;

    private DelegationSession(
        ServiceAccount account, IManagedPasswordSource? managedPasswords, S4UClient client, KerberosPrincipal principal) =>
        (_account, _managedPasswords, Client, Account) = (account, managedPasswords, client, principal);

    public S4UClient Client { get; }

    /// <summary>Gets the delegating account.</summary>
    public KerberosPrincipal Account { get; }

    /// <param name="settings">The account and its KDCs.</param>
    /// <param name="streams">Standard input, from which the password may come.</param>
    /// <param name="log">The log of the engine.</param>
    /// <param name="recorder">The recorder of the exchanges with KDCs, or null.</param>
    /// <param name="cancellationToken">Cancels reading the password.</param>
    /// <exception cref="UsageException">A name is not valid, or the key of the account cannot be read.</exception>
    public static async Task<DelegationSession> OpenAsync(
        DelegationSettings settings, Streams streams, ILoggerFactory log, ExchangeRecorder? recorder, CancellationToken cancellationToken)
    {
        try
        {
            var managed = settings.Key.ManagedPassword;
            var source = managed?.CreateSource(managed, log, TimeProvider.System);
            var account = await OpenAccountAsync(settings, source, streams, cancellationToken);
            try
            {
                var options = new S4UClientOptions
                {
                    Realm = settings.Realm,
                    Account = account,
                    LoggerFactory = log,
                    Timeout = settings.Limits.Timeout,
                    MaxClockCorrection = settings.Limits.MaxClockCorrection,
                    Cache = settings.Limits.ToCacheOptions(),
                    Recorder = recorder,
                };
                foreach (var (realm, kdcs) in settings.Kdcs)
                    options.Kdcs[realm] = kdcs;
                var principal = KerberosPrincipal.Principal(account.Name, settings.Realm);
                var session = new DelegationSession(account, source, new S4UClient(options), principal);
                // After the checks of names and realms, whose messages are more specific.
                if (settings.Key.Kind != KeyFileKind.StandardInput)
                    SecretInput.ThrowIfUnreadable(settings.Key);
                return session;
            }
            catch
            {
                account.Dispose();
                throw;
            }
        }
        catch (ArgumentException refused)
        {
            throw UsageException.FromArgument(refused, "--realm, --kdc, --account or the account's key: ");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        _account.Dispose();
        if (_managedPasswords is IAsyncDisposable source)
            await source.DisposeAsync();
    }

    private static async Task<ServiceAccount> OpenAccountAsync(
        DelegationSettings settings, IManagedPasswordSource? managedPasswords, Streams streams, CancellationToken cancellationToken) =>
        settings.Key.Kind switch
        {
            KeyFileKind.Keytab => ServiceAccount.FromKeytab(settings.Account, settings.Key.Path),
            KeyFileKind.ReaderKeytab => ServiceAccount.FromManagedPassword(settings.Account, managedPasswords!),
            KeyFileKind.PasswordFile => ServiceAccount.FromPasswordFile(settings.Account, settings.Key.Path),
            _ => await SecretInput.ReadPasswordAsync(settings.Account, streams, cancellationToken),
        };
}
