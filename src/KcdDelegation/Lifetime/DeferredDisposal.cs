namespace KcdDelegation.Lifetime;

/// <summary>Disposes objects of replaced settings after a delay, so that requests that began under the old settings can end. Disposing this
/// object ends the delays.</summary>
internal sealed class DeferredDisposal(TimeProvider timeProvider) : IAsyncDisposable
{
    /// <summary>The delay. It is longer than the time from a request's credential to its last header.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly HashSet<Task> _pending = [];
    private readonly CancellationTokenSource _now = new();

    public void Add(IAsyncDisposable replaced)
    {
        lock (_lock)
        {
            _pending.RemoveWhere(task => task.IsCompletedSuccessfully);
            _pending.Add(CloseLaterAsync(replaced));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _now.CancelAsync().ConfigureAwait(false);
        Task[] pending;
        lock (_lock)
            pending = [.. _pending];
        await Task.WhenAll(pending).ConfigureAwait(false);
    }

    private async Task CloseLaterAsync(IAsyncDisposable replaced)
    {
        await Task.Delay(Grace, timeProvider, _now.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await replaced.DisposeAsync().ConfigureAwait(false);
    }
}
