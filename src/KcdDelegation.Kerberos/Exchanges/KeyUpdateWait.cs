using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>A short wait for a changed key. An account's key usually changes at the KDC first and in its source a moment later; a
/// ticket under the new key may arrive in between. Thread-safe.</summary>
internal sealed class KeyUpdateWait(ServiceAccount account, TimeProvider timeProvider, ILogger logger)
{
    private const int Attempts = 20;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private long _unchanged = -1;

    /// <summary>Gets the version to compare with later. Read it before the request whose reply may need a newer key.</summary>
    public long Version => account.Keys.Version;

    /// <summary>Waits until the keys differ from those of the version. Returns false if they do not change in time.</summary>
    /// <remarks>A version that was waited for without success is not waited for again, so an old keytab delays one request only.</remarks>
    public async Task<bool> WaitAsync(long version, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            await account.Keys.ReadAgainAsync(logger, cancellationToken).ConfigureAwait(false);
            if (account.Keys.Version != version)
                return true;
            if (Volatile.Read(ref _unchanged) == version)
                return false;
            await Task.Delay(Interval, timeProvider, cancellationToken).ConfigureAwait(false);
        }
        Volatile.Write(ref _unchanged, version);
        return false;
    }
}
