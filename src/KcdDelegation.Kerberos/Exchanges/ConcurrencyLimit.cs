namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>A limit on the number of concurrent exchanges with one realm and on the number of waiting exchanges. Thread-safe.</summary>
/// <remarks>A permit is held only while a KDC is being asked, never while one exchange waits for another.</remarks>
internal sealed class ConcurrencyLimit(int maxConcurrent, int maxQueued) : IDisposable
{
    private readonly SemaphoreSlim _permits = new(maxConcurrent, maxConcurrent);
    private int _waiting;

    /// <summary>Waits for a permit. Disposing the permit releases it.</summary>
    /// <exception cref="KerberosException">The queue is full (<see cref="KerberosFailureReason.Overloaded"/>, transient).</exception>
    public async ValueTask<Permit> AcquireAsync(CancellationToken cancellationToken)
    {
        if (!_permits.Wait(0, CancellationToken.None))
            await WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Permit(_permits);
    }

    public void Dispose() => _permits.Dispose();

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > maxQueued)
        {
            Interlocked.Decrement(ref _waiting);
            throw new KerberosException(new KerberosFailure
            {
                Reason = KerberosFailureReason.Overloaded,
                IsTransient = true,
                Detail = $"{maxConcurrent} exchanges with the realm's KDCs are in progress (MaxConcurrentExchanges) " +
                    $"and {maxQueued} are waiting (MaxQueuedExchanges)",
            });
        }
        try
        {
            await _permits.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>A permit for one exchange.</summary>
    public readonly struct Permit(SemaphoreSlim permits) : IDisposable
    {
        public void Dispose() => permits.Release();
    }
}
