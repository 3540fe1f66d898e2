namespace KcdDelegation.Kerberos.Transport;

/// <summary>Asks one after the other without waiting for the slow ones: the next is started when the one before has failed, or has taken
/// a while. The first success wins, the others are cancelled and waited for, and what they made all the same is disposed.</summary>
internal static class StaggeredRace
{
    // Two slow ones are worth going past; a crowd of requests is what a realm in trouble needs least.
    private const int MaxRunning = 3;

    /// <param name="runners">Asked in this order; at least one.</param>
    /// <param name="delay">Until the next is started beside a slow one; infinite: one at a time.</param>
    /// <param name="time">Measures the delay.</param>
    /// <param name="run">Ends soon when its token is cancelled.</param>
    /// <param name="goesOn">Whether the next is worth starting after this failure; any other ends the race.</param>
    /// <param name="cancellationToken">Ends the race.</param>
    /// <returns>What the winner made, and who was started before it and had not finished.</returns>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public static async Task<(TResult Result, IReadOnlyList<TRunner> Overtaken)> RunAsync<TRunner, TResult>(
        IReadOnlyList<TRunner> runners,
        TimeSpan delay,
        TimeProvider time,
        Func<TRunner, CancellationToken, Task<TResult>> run,
        Func<Exception, bool> goesOn,
        CancellationToken cancellationToken)
    {
        // One KDC with one address is common, and needs neither timer nor referee.
        if (runners is [var only])
            return (await run(only, cancellationToken).ConfigureAwait(false), []);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<(TRunner Runner, Task<TResult> Task)>();
        var (next, startNext) = (0, true);
        try
        {
            while (true)
            {
                if (startNext)
                {
                    running.Add((runners[next], run(runners[next], stop.Token)));
                    next++;
                }
                var patience = next < runners.Count && running.Count < MaxRunning ? delay : Timeout.InfiniteTimeSpan;
                await WhenAnyFinishesAsync(running, patience, time).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                var place = running.FindIndex(entry => entry.Task.IsCompleted);
                if (place < 0)
                {
                    startNext = true;
                    continue;
                }
                var finished = running[place].Task;
                running.RemoveAt(place);
                try
                {
                    var result = await finished.ConfigureAwait(false);
                    return (result, running.Take(place).Select(entry => entry.Runner).ToList());
                }
                catch (Exception failure) when (goesOn(failure) && (next < runners.Count || running.Count > 0))
                {
                    startNext = next < runners.Count;
                }
            }
        }
        finally
        {
            if (running.Count > 0)
                await stop.CancelAsync().ConfigureAwait(false);
            foreach (var (_, task) in running)
                await DiscardAsync(task).ConfigureAwait(false);
        }
    }

    /// <summary>Ends when one of them has, or when the delay has passed; all of them end soon when they are cancelled.</summary>
    private static async Task WhenAnyFinishesAsync<TRunner, TResult>(List<(TRunner Runner, Task<TResult> Task)> running, TimeSpan delay, TimeProvider time)
    {
        Task any = running is [var only] ? only.Task : Task.WhenAny(running.Select(entry => entry.Task));
        if (delay != Timeout.InfiniteTimeSpan)
            any = any.WaitAsync(delay, time);
        await any.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task DiscardAsync<TResult>(Task<TResult> task)
    {
        await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (task.IsCompletedSuccessfully && await task.ConfigureAwait(false) is IDisposable unused)
            unused.Dispose();
    }
}
