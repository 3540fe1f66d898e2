using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Token;

/// <summary>The issuer's signing keys, loaded on demand and refreshed in the background. Thread-safe.</summary>
/// <remarks>The keys are refreshed after 12 hours, while tokens with a known key are still validated. If the issuer does not answer, the
/// last keys are used for up to 24 hours. An unknown <c>kid</c> triggers one refresh before the token is refused, so that a newly rotated
/// key is found. Unknown values trigger at most one refresh in 30 seconds.</remarks>
internal sealed class SigningKeys(IssuerDocuments documents, TimeProvider timeProvider, ILogger logger) : IDisposable
{
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromHours(12);
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromHours(24);
    private static readonly TimeSpan BetweenUnknown = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _disposed = new();
    private State _state = new(IssuerKeys.None, LoadedAt: null, DueAt: long.MinValue, Failure: null);
    private Task<State>? _refresh;
    private long _nextForUnknown = long.MinValue;

    /// <summary>The result of the last refresh. Times are timestamps of the time source: a correction of the clock must neither keep old
    /// keys nor delay new ones.</summary>
    /// <param name="Keys">The keys; none until the first load succeeds.</param>
    /// <param name="LoadedAt">The time of the last successful load; null if there was none.</param>
    /// <param name="DueAt">The time of the next refresh.</param>
    /// <param name="Failure">The failure of the last attempt; null if it succeeded.</param>
    private sealed record State(IssuerKeys Keys, long? LoadedAt, long DueAt, KcdException? Failure);

    /// <summary>Finds the keys of a token, one of which has its <c>kid</c>, and refreshes them if it is unknown.</summary>
    /// <exception cref="KcdException">The issuer has no such key, or the keys cannot be loaded.</exception>
    public async ValueTask<IssuerKeys> FindAsync(string keyId, CancellationToken cancellationToken)
    {
        if (FindCurrent() is { } current && current.ById.ContainsKey(keyId))
            return current;
        var now = timeProvider.GetTimestamp();
        var state = await RefreshForAsync(keyId, now, cancellationToken).ConfigureAwait(false);
        // The keys have expired, and the issuer cannot be reached.
        if (!CanServe(state, now))
            throw CopyFailure(state.Failure!);
        if (state.Keys.ById.ContainsKey(keyId))
            return state.Keys;
        throw state.Failure is { } failure ? CopyFailure(failure) : TokenRefusal.KeyUnknown(keyId);
    }

    /// <summary>Returns the keys in force, and refreshes them in the background if this is due; null if they have to be loaded
    /// first.</summary>
    public IssuerKeys? FindCurrent()
    {
        var state = Volatile.Read(ref _state);
        var now = timeProvider.GetTimestamp();
        if (!CanServe(state, now))
            return null;
        if (now >= state.DueAt)
            RefreshInBackground(state);
        return state.Keys;
    }

    public void Dispose()
    {
        _disposed.Cancel();
        documents.Dispose();
    }

    private bool CanServe(State state, long now) =>
        state.LoadedAt is { } loadedAt && timeProvider.GetElapsedTime(loadedAt, now) <= ForgetAfter;

    private long Add(long timestamp, TimeSpan time) => timestamp + (long)(time.TotalSeconds * timeProvider.TimestampFrequency);

    /// <summary>Starts or joins the refresh that a token with an unknown or expired key waits for.</summary>
    /// <exception cref="KcdException">The keys were requested a moment ago.</exception>
    private Task<State> RefreshForAsync(string keyId, long now, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // A refresh may have ended since the state was read.
            var state = _state;
            if (CanServe(state, now) && state.Keys.ById.ContainsKey(keyId))
                return Task.FromResult(state);
            if (_refresh is null && now < state.DueAt)
            {
                if (!CanServe(state, now))
                    throw CopyFailure(state.Failure!);
                if (now < _nextForUnknown)
                    throw TokenRefusal.KeyUnknownYet(keyId);
                _nextForUnknown = Add(now, BetweenUnknown);
            }
            return RefreshAsync(cancellationToken);
        }
    }

    /// <summary>Starts a refresh without waiting for it, unless one has ended since the state was read.</summary>
    private void RefreshInBackground(State seen)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_state, seen))
                _ = RefreshAsync(CancellationToken.None);
        }
    }

    /// <summary>Starts or joins the single pending refresh. Cancellation ends the wait of one caller only.</summary>
    private Task<State> RefreshAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_refresh is null)
            {
                using (ExecutionContext.SuppressFlow())
                    _refresh = Task.Run(LoadAsync, CancellationToken.None);
                // The task fails at disposal only. Its exception is observed here because no caller may wait for it any more.
                _ = _refresh.ContinueWith(
                    static ended => ended.Exception, CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
            return _refresh.WaitAsync(cancellationToken);
        }
    }

    private async Task<State> LoadAsync()
    {
        var state = Volatile.Read(ref _state);
        try
        {
            var keys = await documents.LoadKeysAsync(_disposed.Token).ConfigureAwait(false);
            // The same documents stay the same object, with the tokens that their keys verified. Invented keys cannot drop these.
            if (keys.Documents == state.Keys.Documents)
                keys = state.Keys;
            var now = timeProvider.GetTimestamp();
            state = new State(keys, now, Add(now, RefreshAfter), Failure: null);
            Log.SigningKeysLoaded(logger, keys.ById.Count, documents.Authority);
        }
        catch (Exception error) when (_disposed.IsCancellationRequested)
        {
            throw new ObjectDisposedException("The validator of tokens was disposed.", error);
        }
        // Any exception while a document is read: the last keys stay, and the next attempt waits for the retry interval.
        catch (Exception error)
        {
            var failure = error as KcdException ?? documents.Unreadable(error);
            var retry = Add(timeProvider.GetTimestamp(), RetryAfter);
            // The time is moved later but never earlier: a made-up kid must not trigger a refresh of known keys.
            // Tokens cause an attempt every few seconds during an outage. Only its start, and a change of its cause, are logged.
            if (state.Failure?.EventId != failure.EventId)
                Log.SigningKeysNotLoaded(logger, failure.Message);
            state = state with { Failure = failure, DueAt = Math.Max(retry, state.DueAt) };
        }
        finally
        {
            lock (_lock)
            {
                _state = state;
                _refresh = null;
            }
        }
        return state;
    }

    /// <summary>Copies the failure, so that each caller gets a separate exception.</summary>
    private static KcdException CopyFailure(KcdException failure) => failure.Copy();
}
