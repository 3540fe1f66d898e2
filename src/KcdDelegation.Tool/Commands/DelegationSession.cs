using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary>The engine's client with the account of the command line, for as long as one command runs.</summary>
internal sealed class DelegationSession : IAsyncDisposable
{
    private readonly ServiceAccount _account;

    private DelegationSession(ServiceAccount account, S4UClient client, KerberosPrincipal principal) =>
        (_account, Client, Account) = (account, client, principal);

    public S4UClient Client { get; }

    /// <summary>Who delegates.</summary>
    public KerberosPrincipal Account { get; }

    /// <exception cref="UsageException">A name or path is none, or the password is not on standard input.</exception>
    public static async Task<DelegationSession> OpenAsync(
        DelegationSettings settings, Streams streams, ILoggerFactory log, CancellationToken cancellationToken)
    {
        try
        {
            var account = await OpenAccountAsync(settings, streams, cancellationToken);
            try
            {
                var options = new S4UClientOptions { Realm = settings.Realm, Account = account, LoggerFactory = log };
                foreach (var (realm, kdcs) in settings.Kdcs)
                    options.Kdcs[realm] = kdcs;
                return new DelegationSession(account, new S4UClient(options), KerberosPrincipal.Principal(account.Name, settings.Realm));
            }
            catch
            {
                account.Dispose();
                throw;
            }
        }
        catch (ArgumentException refused)
        {
            throw new UsageException(refused.Message, refused);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        _account.Dispose();
    }

    private static async Task<ServiceAccount> OpenAccountAsync(DelegationSettings settings, Streams streams, CancellationToken cancellationToken) =>
        settings.Key.Kind switch
        {
            KeyFileKind.Keytab => ServiceAccount.FromKeytab(settings.Account, settings.Key.Path),
            KeyFileKind.PasswordFile => ServiceAccount.FromPasswordFile(settings.Account, settings.Key.Path),
            _ => await SecretInput.ReadPasswordAsync(settings.Account, streams, cancellationToken),
        };
}
