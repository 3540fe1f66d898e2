namespace KcdDelegation.Kerberos.Transport;

/// <summary>A race of attempts with staggered starts.</summary>
/// <remarks>The next attempt starts when the previous one has failed or has been running for a while. The first success wins. The others
/// are canceled and awaited, and their results are disposed.</remarks>
internal static class StaggeredRace
{
    // More concurrent requests would burden a realm in trouble.
    private const int MaxRunning = 3;

    /// <summary>Runs the race.</summary>
    /// <param name="candidates">At least one candidate, in the order in which they start.</param>
    /// <param name="delay">The time after which the next candidate starts although the previous one is still running.</param>
    /// <param name="time">The clock and timers.</param>
    /// <param name="run">Runs one attempt. It must end soon after its token is canceled.</param>
    /// <param name="canContinue">Returns whether the race continues after this failure.</param>
    /// <param name="cancellationToken">Cancels the race.</param>
    /// <returns>The winner's result, and the candidates that started before the winner and had not finished.</returns>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    public static async Task<(TResult Result, IReadOnlyList<TCandidate> Slower)> RunAsync<TCandidate, TResult>(
        IReadOnlyList<TCandidate> candidates,
        TimeSpan delay,
        TimeProvider time,
        Func<TCandidate, CancellationToken, Task<TResult>> run,
        Func<Exception, bool> canContinue,
        CancellationToken cancellationToken)
    {
        // The common case of one KDC with one address needs no timer.
        if (candidates is [var only])
            return (await run(only, cancellationToken).ConfigureAwait(false), []);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<(TCandidate Candidate, Task<TResult> Task)>();
        var (next, startNext) = (0, true);
        try
        {
            while (true)
            {
                if (startNext)
                {
                    running.Add((candidates[next], run(candidates[next], stop.Token)));
                    next++;
                }
                var wait = next < candidates.Count && running.Count < MaxRunning ? delay : Timeout.InfiniteTimeSpan;
                await WhenAnyFinishesAsync(running, wait, time).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                var index = running.FindIndex(entry => entry.Task.IsCompleted);
                if (index < 0)
                {
                    startNext = true;
                    continue;
                }
                var finished = running[index].Task;
                running.RemoveAt(index);
                try
                {
                    var result = await finished.ConfigureAwait(false);
                    return (result, running.Take(index).Select(entry => entry.Candidate).ToList());
                }
                catch (Exception failure) when (canContinue(failure) && (next < candidates.Count || running.Count > 0))
                {
                    startNext = next < candidates.Count;
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

    /// <summary>Waits until an attempt finishes or the delay has passed.</summary>
    private static async Task WhenAnyFinishesAsync<TCandidate, TResult>(List<(TCandidate Candidate, Task<TResult> Task)> running, TimeSpan delay, TimeProvider time)
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
