using System.Collections.Concurrent;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>Requests new tokens for a session from its provider.</summary>
internal interface ITokenRefresher
{
    /// <summary>Requests new tokens and returns the session's new content.</summary>
    Task<TokenRefresh> RefreshAsync(AuthenticationTicket ticket, SessionTicket session, CancellationToken cancellationToken);
}

/// <summary>The result of a refresh.</summary>
/// <param name="Ticket">The new content; null if there are no new tokens.</param>
/// <param name="IsRefused">Whether the provider has ended the session (<c>invalid_grant</c>).</param>
/// <param name="Cause">The reason why there are no new tokens, for the log.</param>
internal sealed record TokenRefresh(AuthenticationTicket? Ticket, bool IsRefused, string Cause);

/// <summary>Refreshes the tokens of sessions, once per session however many requests need it. Thread-safe.</summary>
/// <remarks>Providers that rotate refresh tokens take a second use of one for theft, and end the session. Two parallel requests of one
/// browser must therefore never send it twice.</remarks>
internal sealed class SessionRefresh(
    SessionStore store, ITokenRefresher refresher, TimeProvider timeProvider, ILoggerFactory loggerFactory)
{
    /// <summary>The longest time that requests wait for a provider.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    /// <summary>The longest time after a failure before the provider is asked again for the same session.</summary>
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromSeconds(30);

    /// <summary>The shortest time, for a session whose tokens end soon or have ended.</summary>
    private static readonly TimeSpan MinRetryAfter = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = loggerFactory.CreateLogger(SessionLog.Category);
    private readonly ConcurrentDictionary<string, Lazy<Task<AuthenticationTicket?>>> _pending = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _retries = new(StringComparer.Ordinal);

    /// <summary>Returns the session with tokens that have not ended; null if it cannot be used.</summary>
    /// <param name="reference">The reference of the session.</param>
    /// <param name="ticket">The content that was retrieved.</param>
    /// <param name="cancellationToken">Cancels the wait of this request. The refresh goes on.</param>
    public async Task<AuthenticationTicket?> GetCurrentAsync(
        SessionReference reference, AuthenticationTicket ticket, CancellationToken cancellationToken)
    {
        if (SessionTicket.Read(ticket.Properties) is not { } session)
            return null;
        var now = timeProvider.GetUtcNow();
        if (session.RefreshToken is null)
        {
            if (!session.EndsWithTokens || session.TokensEnd is not { } end || now < end)
                return ticket;
            await store.RemoveByHashAsync(reference.Hash);
            return null;
        }
        if (!IsDue(session, now))
            return ticket;
        if (_retries.TryGetValue(reference.Hash, out var next) && now < next)
            return HasEnded(session, now) ? null : ticket;
        var pending = _pending.GetOrAdd(reference.Hash, _ => new Lazy<Task<AuthenticationTicket?>>(() => Start(reference)));
        return await pending.Value.WaitAsync(cancellationToken);
    }

    private static bool IsDue(SessionTicket session, DateTimeOffset now) => now >= session.RefreshAt;

    private static bool HasEnded(SessionTicket session, DateTimeOffset now) => now >= session.TokensEnd;

    /// <summary>Starts the refresh outside of the request's context, which may end before it.</summary>
    private Task<AuthenticationTicket?> Start(SessionReference reference)
    {
        using (ExecutionContext.SuppressFlow())
            return Task.Run(() => RunAsync(reference));
    }

    private async Task<AuthenticationTicket?> RunAsync(SessionReference reference)
    {
        try
        {
            // Read again: the refresh that has just ended may have been the one that this request needs.
            if (await store.RetrieveAsync(reference) is not { } ticket || SessionTicket.Read(ticket.Properties) is not { } session)
                return null;
            if (!IsDue(session, timeProvider.GetUtcNow()))
                return ticket;
            return await RefreshAsync(reference, ticket, session);
        }
        finally
        {
            _pending.TryRemove(reference.Hash, out _);
        }
    }

    private async Task<AuthenticationTicket?> RefreshAsync(SessionReference reference, AuthenticationTicket ticket, SessionTicket session)
    {
        using var timeout = new CancellationTokenSource(Timeout, timeProvider);
        var result = await refresher.RefreshAsync(ticket.Clone(), session, timeout.Token);
        if (result.IsRefused)
        {
            SessionLog.RefreshRefused(_logger, session.Provider, result.Cause);
            _retries.TryRemove(reference.Hash, out _);
            await store.RemoveByHashAsync(reference.Hash);
            return null;
        }
        if (result.Ticket is null)
        {
            SessionLog.RefreshFailed(_logger, session.Provider, result.Cause);
            Delay(reference.Hash, session);
            return HasEnded(session, timeProvider.GetUtcNow()) ? null : ticket;
        }
        _retries.TryRemove(reference.Hash, out _);
        try
        {
            // False if the user has signed out meanwhile. The session stays ended.
            if (!await store.TryRenewAsync(reference.Text, result.Ticket))
                return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            SessionLog.RefreshFailed(_logger, session.Provider, $"the folder of State cannot be written: {error.Message}");
            Delay(reference.Hash, session);
            return HasEnded(session, timeProvider.GetUtcNow()) ? null : ticket;
        }
        SessionLog.TokensRefreshed(_logger, session.Provider);
        return result.Ticket.Clone();
    }

    private void Delay(string hash, SessionTicket session)
    {
        var now = timeProvider.GetUtcNow();
        foreach (var (old, time) in _retries)
        {
            if (time <= now)
                _retries.TryRemove(KeyValuePair.Create(old, time));
        }
        // Several attempts fit into the rest of the tokens' life: a short outage before their end does not interrupt the session.
        var quarter = session.TokensEnd is { } end ? (end - now) / 4 : MaxRetryAfter;
        _retries[hash] = now + (quarter < MinRetryAfter ? MinRetryAfter : quarter > MaxRetryAfter ? MaxRetryAfter : quarter);
    }
}
