using System.Collections.Frozen;
using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Token;

/// <summary>The issuer's keys, kept for half a day. A <c>kid</c> that is not among them causes one refresh before the token is refused, so that
/// a key rotated a moment ago is found; tokens with made-up ones cannot make more than one refresh in half a minute. While the issuer is away
/// the last keys serve for a day. Thread-safe.</summary>
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
    private sealed record State(FrozenDictionary<string, SigningKey> Keys, DateTimeOffset LoadedAt, DateTimeOffset DueAt, KcdException? Failure);

    /// <exception cref="KcdException">The issuer has no such key, or none that may be used, or cannot be asked.</exception>
    public async ValueTask<SecurityKey> FindAsync(string keyId, CancellationToken cancellationToken)
    {
        var now = timeProvider.GetUtcNow();
        var state = Volatile.Read(ref _state);
        var due = now >= state.DueAt;
        if (due)
            state = await RefreshAsync(cancellationToken).ConfigureAwait(false);
        if (now - state.LoadedAt > ForgetAfter)
            throw Again(state.Failure!);
        if (Find(state, keyId) is { } key)
            return key;
        if (!due)
        {
            if (!MayRefreshForUnknown(now))
                throw TokenRefusal.KeyUnknownYet(keyId);
            state = await RefreshAsync(cancellationToken).ConfigureAwait(false);
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
        : found.WhyRefused is { } why ? throw TokenRefusal.KeyRefused(keyId, why) : found.Key;

    private bool MayRefreshForUnknown(DateTimeOffset now)
    {
        lock (_lock)
        {
            if (now < _nextForUnknown)
                return false;
            _nextForUnknown = now + BetweenUnknown;
            return true;
        }
    }

    /// <summary>One fetch however many callers wait; each leaves by its own token.</summary>
    private Task<State> RefreshAsync(CancellationToken cancellationToken)
    {
        Task<State> refresh;
        lock (_lock)
        {
            if (_refresh is null)
            {
                using (ExecutionContext.SuppressFlow())
                    _refresh = Task.Run(LoadAsync, CancellationToken.None);
            }
            refresh = _refresh;
        }
        return refresh.WaitAsync(cancellationToken);
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
        catch (OperationCanceledException error) when (_disposed.IsCancellationRequested)
        {
            throw new ObjectDisposedException("The validator of tokens was disposed.", error);
        }
        catch (KcdException failure)
        {
            state = state with { Failure = failure, DueAt = timeProvider.GetUtcNow() + RetryAfter };
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
