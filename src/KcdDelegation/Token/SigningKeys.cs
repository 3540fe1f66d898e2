using System.Collections.Frozen;
using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Token;

/// <summary>The issuer's keys, fetched anew after half a day, behind the back of tokens whose key is known: an issuer that does not answer
/// holds nobody up. While it is away the last keys serve for a day. A <c>kid</c> that is not among them causes one refresh before the token
/// is
/// refused, so that a key rotated a moment ago is found; tokens with made-up ones cannot make more than one refresh in half a minute.
/// Thread-safe.</summary>
internal sealed class SigningKeys(IssuerDocuments documents, TimeProvider timeProvider, ILogger logger) : IDisposable
{
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromHours(12);
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromHours(24);
    private static readonly TimeSpan BetweenUnknown = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _disposed = new();
    private State _state = new(FrozenDictionary<string, SigningKey>.Empty, DateTimeOffset.MinValue, DateTimeOffset.MinValue, Failure: null);
    private Task<State>? _refresh;
    private DateTimeOffset _nextForUnknown;

    /// <param name="Keys">By <c>kid</c>; empty until they came for the first time.</param>
    /// <param name="LoadedAt">When they came.</param>
    /// <param name="DueAt">When they are fetched again.</param>
    /// <param name="Failure">Why the last attempt failed; null if it did not.</param>
    private sealed record State(
        FrozenDictionary<string, SigningKey> Keys, DateTimeOffset LoadedAt, DateTimeOffset DueAt, KcdException? Failure);

    /// <exception cref="KcdException">The issuer has no such key, or none that may be used, or cannot be asked.</exception>
    public async ValueTask<SecurityKey> FindAsync(string keyId, CancellationToken cancellationToken)
    {
        var now = timeProvider.GetUtcNow();
        var state = Volatile.Read(ref _state);
        if (MayServe(state, now) && state.Keys.ContainsKey(keyId))
        {
            if (now >= state.DueAt)
                RefreshBehind(state);
        }
        else
        {
            state = await RefreshForAsync(keyId, now, cancellationToken).ConfigureAwait(false);
            // Keys that are old already when the issuer cannot be asked.
            if (!MayServe(state, now))
                throw Again(state.Failure!);
        }
        return Find(state, keyId) ?? throw (state.Failure is { } failure ? Again(failure) : TokenRefusal.KeyUnknown(keyId));
    }

    public void Dispose()
    {
        _disposed.Cancel();
        documents.Dispose();
    }

    private static SecurityKey? Find(State state, string keyId) => !state.Keys.TryGetValue(keyId, out var found)
        ? null
        : found.FindViolation is { } why ? throw TokenRefusal.KeyRefused(keyId, why) : found.Key;

    private static bool MayServe(State state, DateTimeOffset now) => now - state.LoadedAt <= ForgetAfter;

    /// <summary>The refresh that a token has to wait for whose key is not known, or whose key is known no longer.</summary>
    /// <exception cref="KcdException">The issuer was asked a moment ago.</exception>
    private Task<State> RefreshForAsync(string keyId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // A refresh may have ended since the state was read.
            var state = _state;
            if (MayServe(state, now) && state.Keys.ContainsKey(keyId))
                return Task.FromResult(state);
            if (_refresh is null && now < state.DueAt)
            {
                if (!MayServe(state, now))
                    throw Again(state.Failure!);
                if (now < _nextForUnknown)
                    throw TokenRefusal.KeyUnknownYet(keyId);
                _nextForUnknown = now + BetweenUnknown;
            }
            return RefreshAsync(cancellationToken);
        }
    }

    /// <summary>Starts a refresh that nobody waits for, unless one has ended since the state was read.</summary>
    private void RefreshBehind(State seen)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_state, seen))
                _ = RefreshAsync(CancellationToken.None);
        }
    }

    /// <summary>One fetch however many callers wait; each leaves by its own token.</summary>
    private Task<State> RefreshAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_refresh is null)
            {
                using (ExecutionContext.SuppressFlow())
                    _refresh = Task.Run(LoadAsync, CancellationToken.None);
                // It fails at disposal only, where nobody may be left to hear of it.
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
            var now = timeProvider.GetUtcNow();
            state = new State(keys, now, now + RefreshAfter, Failure: null);
            Log.SigningKeysLoaded(logger, keys.Count, documents.Authority);
        }
        catch (Exception error) when (_disposed.IsCancellationRequested)
        {
            throw new ObjectDisposedException("The validator of tokens was disposed.", error);
        }
        // Whatever a document makes its reader throw: the last keys stay, and the next attempt has its pause.
        catch (Exception error)
        {
            var failure = error as KcdException ?? documents.Unreadable(error);
            var retry = timeProvider.GetUtcNow() + RetryAfter;
            // Later, never earlier: made-up kids must not make the keys of everybody else due.
            state = state with { Failure = failure, DueAt = retry > state.DueAt ? retry : state.DueAt };
            Log.SigningKeysNotLoaded(logger, failure.Message);
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

    /// <summary>Every caller gets an exception of its own.</summary>
    private static KcdException Again(KcdException failure) => failure.Copy();
}
