using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Whoever rolls an account's key changes it at the KDC first and writes the keytab a moment later. A ticket of the new key that
/// arrives in between is worth a short wait. Thread-safe.</summary>
internal sealed class KeyUpdateWait(ServiceAccount account, TimeProvider timeProvider, ILogger logger)
{
    private const int Looks = 20;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private long _inVain = -1;

    /// <summary>What to compare with later: taken before the request whose answer may need a newer key.</summary>
    public long Version => account.Keys.Version;

    /// <summary>Waits until there are other keys than those of the version; false if none come. A version that was waited for in vain is
    /// not waited for again, so that a keytab that stays behind delays nobody else.</summary>
    public async Task<bool> IsOverAsync(long version, CancellationToken cancellationToken)
    {
        for (var look = 0; look < Looks; look++)
        {
            account.Keys.Refresh(logger);
            if (account.Keys.Version != version)
                return true;
            if (Volatile.Read(ref _inVain) == version)
                return false;
            await Task.Delay(Pause, timeProvider, cancellationToken).ConfigureAwait(false);
        }
        Volatile.Write(ref _inVain, version);
        return false;
    }
}
