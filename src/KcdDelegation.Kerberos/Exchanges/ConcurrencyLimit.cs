namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Bounds the exchanges with one realm under way at once and the queue behind them, so that a Monday morning neither drowns
/// its KDCs nor piles up callers without end. Held only while a KDC is spoken to, never while one exchange waits for another.</summary>
internal sealed class ConcurrencyLimit(int maxConcurrent, int maxQueued) : IDisposable
{
    private readonly SemaphoreSlim _places = new(maxConcurrent, maxConcurrent);
    private int _waiting;

    /// <summary>Waits for a place; disposing what it gives leaves it.</summary>
    /// <exception cref="KerberosException">The queue is full (<see cref="KerberosFailureReason.Overloaded"/>, transient).</exception>
    public async ValueTask<Place> EnterAsync(CancellationToken cancellationToken)
    {
        if (!_places.Wait(0, CancellationToken.None))
            await WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Place(_places);
    }

    public void Dispose() => _places.Dispose();

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > maxQueued)
        {
            Interlocked.Decrement(ref _waiting);
            throw new KerberosException(new KerberosFailure
            {
                Reason = KerberosFailureReason.Overloaded,
                IsTransient = true,
                Detail = $"{maxConcurrent} exchanges are under way and {maxQueued} are waiting for the realm's KDCs",
            });
        }
        try
        {
            await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>A place among the exchanges under way.</summary>
    public readonly struct Place(SemaphoreSlim places) : IDisposable
    {
        public void Dispose() => places.Release();
    }
}
