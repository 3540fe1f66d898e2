namespace KcdDelegation.Kerberos.Transport;

/// <summary>A race of attempts with staggered starts.</summary>
/// <remarks>While no attempt succeeds, further attempts start in waves: one after the first interval, then two, four and so on. The first
/// success wins. The others are canceled and awaited, and their results are disposed.</remarks>
internal static class StaggeredRace
{
    /// <summary>Runs the race.</summary>
    /// <param name="candidates">At least one candidate, in the order in which they start.</param>
    /// <param name="interval">The time between two waves. If it is infinite, an attempt starts only when the previous one has
    /// failed.</param>
    /// <param name="time">The clock and timers.</param>
    /// <param name="run">Runs one attempt. It must end soon after its token is canceled.</param>
    /// <param name="canContinue">Returns whether the race continues after this failure.</param>
    /// <param name="startsNextOnFailure">Whether the next attempt starts as soon as one fails. Otherwise only the interval starts
    /// it.</param>
    /// <param name="cancellationToken">Cancels the race.</param>
    /// <returns>The winner's result, and the candidates that started before the winner and had not finished.</returns>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    public static async Task<(TResult Result, IReadOnlyList<TCandidate> Slower)> RunAsync<TCandidate, TResult>(
        IReadOnlyList<TCandidate> candidates,
        TimeSpan interval,
        TimeProvider time,
        Func<TCandidate, CancellationToken, Task<TResult>> run,
        Func<Exception, bool> canContinue,
        bool startsNextOnFailure,
        CancellationToken cancellationToken)
    {
        // The common case of one KDC with one address needs no timer.
        if (candidates is [var only])
            return (await run(only, cancellationToken).ConfigureAwait(false), []);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<(TCandidate Candidate, Task<TResult> Task)>();
        var (next, starting, wave) = (0, 1, 1);
        try
        {
            while (true)
            {
                for (; starting > 0 && next < candidates.Count; starting--, next++)
                    running.Add((candidates[next], run(candidates[next], stop.Token)));
                var wait = next < candidates.Count ? interval : Timeout.InfiniteTimeSpan;
                await WhenAnyFinishesAsync(running, wait, time).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                var index = running.FindIndex(entry => entry.Task.IsCompleted);
                if (index < 0)
                {
                    (starting, wave) = (wave, wave * 2);
                    continue;
                }
                var finished = running[index].Task;
                running.RemoveAt(index);
                try
                {
                    var result = await finished.ConfigureAwait(false);
                    return (result, running.Take(index).Select(entry => entry.Candidate).ToList());
                }
                catch (Exception failure) when (canContinue(failure)
                    && (running.Count > 0 || (startsNextOnFailure && next < candidates.Count)))
                {
                    starting = startsNextOnFailure ? 1 : 0;
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

    /// <summary>Waits until an attempt finishes or the interval has passed.</summary>
    private static async Task WhenAnyFinishesAsync<TCandidate, TResult>(
        List<(TCandidate Candidate, Task<TResult> Task)> running, TimeSpan interval, TimeProvider time)
    {
        Task any = running is [var only] ? only.Task : Task.WhenAny(running.Select(entry => entry.Task));
        if (interval != Timeout.InfiniteTimeSpan)
            any = any.WaitAsync(interval, time);
        await any.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task DiscardAsync<TResult>(Task<TResult> task)
    {
        await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (task.IsCompletedSuccessfully && await task.ConfigureAwait(false) is IDisposable unused)
            unused.Dispose();
    }
}
