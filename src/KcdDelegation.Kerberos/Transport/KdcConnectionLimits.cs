using System.Collections.Concurrent;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>A limit on the concurrent connections to each KDC. Thread-safe.</summary>
/// <remarks>A KDC accepts connections one at a time from a short queue: krb5kdc listens with a backlog of 5. If the queue overflows, the
/// client is connected from its own point of view, and its system repeats the request after 1, 2, 4 and 8 seconds.</remarks>
internal sealed class KdcConnectionLimits(KdcTiming timing, TimeProvider time)
{
    // KDCs come from configuration and DNS. The bound holds whatever those contain.
    private const int MaxKdcs = 1024;

    private readonly ConcurrentDictionary<KdcEndpoint, SemaphoreSlim> _kdcs = [];

    /// <summary>Waits for a permit for one connection.</summary>
    /// <remarks>The permit ends when it is disposed, or earlier if the connection stays silent, so that silent connections do not prevent
    /// others.</remarks>
    public async ValueTask<IDisposable> AcquireAsync(KdcEndpoint kdc, CancellationToken cancellationToken)
    {
        // Permits in use keep their semaphore.
        if (_kdcs.Count >= MaxKdcs)
            _kdcs.Clear();
        var permits = _kdcs.GetOrAdd(kdc, static (_, count) => new SemaphoreSlim(count, count), timing.MaxConnectionsPerKdc);
        if (!permits.Wait(0, CancellationToken.None))
            await permits.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Permit(permits, timing.SilenceInterval, time);
    }

    private sealed class Permit : IDisposable
    {
        private readonly ITimer _timer;
        private SemaphoreSlim? _permits;

        public Permit(SemaphoreSlim permits, TimeSpan lifetime, TimeProvider time)
        {
            _permits = permits;
            _timer = time.CreateTimer(static permit => ((Permit)permit!).Release(), this, lifetime, Timeout.InfiniteTimeSpan);
        }

        public void Dispose()
        {
            _timer.Dispose();
            Release();
        }

        private void Release() => Interlocked.Exchange(ref _permits, null)?.Release();
    }
}
