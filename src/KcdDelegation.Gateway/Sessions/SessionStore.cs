using System.Collections.Concurrent;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The sessions of signed-in users on the server side. Bounded. Thread-safe.</summary>
/// <remarks>The files are authoritative: an entry in memory is used only for the version of the file that it was read from. A session that
/// another process ended is therefore ended here too.</remarks>
internal sealed class SessionStore : ITicketStore, IDisposable
{
    /// <summary>The memory of sessions that were read, in bytes. Further ones are read from their files again.</summary>
    private const long CacheSize = 64 << 20;

    private const int LockCount = 64;

    /// <summary>The longest time for which a use is not written to the file.</summary>
    private static readonly TimeSpan MaxUnwrittenUse = TimeSpan.FromMinutes(1);

    private readonly SessionFiles _files;
    private readonly Func<SessionSettings> _settings;
    private readonly SessionRequests _requests;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, SessionEntry> _entries = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _unreadable = new(StringComparer.Ordinal);

    /// <summary>The sessions that have ended although their files could not be deleted.</summary>
    private readonly ConcurrentDictionary<string, bool> _undeleted = new(StringComparer.Ordinal);
    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = CacheSize, CompactionPercentage = 0.2 });
    private readonly SemaphoreSlim[] _locks = [.. Enumerable.Range(0, LockCount).Select(static _ => new SemaphoreSlim(1, 1))];
    private readonly SemaphoreSlim _scan = new(1, 1);

    public SessionStore(
        SessionFiles files, Func<SessionSettings> settings, SessionRequests requests, TimeProvider timeProvider,
        ILoggerFactory loggerFactory)
    {
        (_files, _settings, _requests, _timeProvider) = (files, settings, requests, timeProvider);
        _logger = loggerFactory.CreateLogger(SessionLog.Category);
    }

    /// <summary>Gets the number of sessions that are known to this process.</summary>
    public int Count => _entries.Count;

    /// <summary>Stores a new session and returns its reference.</summary>
    /// <exception cref="SessionLimitException">There are as many sessions as the settings allow.</exception>
    /// <exception cref="IOException">The session cannot be written.</exception>
    public async Task<string> StoreAsync(AuthenticationTicket ticket)
    {
        var session = SessionTicket.Read(ticket.Properties)
            ?? throw new ArgumentException("The ticket is not one of a sign-in.", nameof(ticket));
        await EnforceLimitsAsync(session);
        var now = _timeProvider.GetUtcNow();
        ticket.Properties.IssuedUtc ??= now;
        var reference = SessionReference.Create();
        var version = await _files.WriteAsync(reference.Hash, ticket, now, CancellationToken.None);
        _entries[reference.Hash] = new SessionEntry(session, ticket.Properties, version);
        return reference.Text;
    }

    /// <summary>Replaces the content of a session that still exists.</summary>
    public Task RenewAsync(string key, AuthenticationTicket ticket) => TryRenewAsync(key, ticket);

    /// <summary>Replaces the content of a session. Returns false if the session has ended meanwhile; it stays ended.</summary>
    /// <exception cref="IOException">The session cannot be written.</exception>
    public async Task<bool> TryRenewAsync(string key, AuthenticationTicket ticket)
    {
        if (!SessionReference.TryParse(key, out var reference) || SessionTicket.Read(ticket.Properties) is not { } session)
            return false;
        var semaphore = GetLock(reference.Hash);
        await semaphore.WaitAsync();
        try
        {
            if (!_entries.TryGetValue(reference.Hash, out var entry) || FindVersion(reference.Hash) is null)
                return false;
            // The content may have been read before the session was given an earlier end.
            if (entry.End is { } end && !(ticket.Properties.ExpiresUtc <= end))
                ticket.Properties.ExpiresUtc = end;
            var version = await _files.WriteAsync(reference.Hash, ticket, new DateTimeOffset(entry.LastUse), CancellationToken.None);
            _cache.Remove(reference.Hash);
            _entries[reference.Hash] = new SessionEntry(session, ticket.Properties, version);
            return true;
        }
        finally
        {
            semaphore.Release();
        }
    }

    /// <summary>Returns a copy of the session; null if there is none, or if it has ended. Counts as a use.</summary>
    public Task<AuthenticationTicket?> RetrieveAsync(string key) =>
        SessionReference.TryParse(key, out var reference) ? RetrieveAsync(reference) : Task.FromResult<AuthenticationTicket?>(null);

    /// <summary>Returns a copy of the session of a reference, as the other overload does.</summary>
    public async Task<AuthenticationTicket?> RetrieveAsync(SessionReference reference)
    {
        var (hash, now) = (reference.Hash, _timeProvider.GetUtcNow());
        if (FindVersion(hash) is not { } version)
        {
            Forget(hash);
            return null;
        }
        if (await ReadAsync(hash, version, CancellationToken.None) is not { } cached
            || !_entries.TryGetValue(hash, out var entry))
            return null;
        if (entry.HasEnded(now, _settings(), _requests.IsOpen(hash)))
        {
            await RemoveByHashAsync(hash);
            return null;
        }
        Use(hash, entry, cached, now);
        // A copy: code of the request may change the principal, and the next request must not see it.
        return cached.Ticket.Clone();
    }

    /// <summary>Returns a copy of the session if it belongs to a host, with its tokens as they are. Counts as a use.</summary>
    /// <param name="reference">The reference of the session.</param>
    /// <param name="host">The host of the application. A request can name its port too.</param>
    public async Task<AuthenticationTicket?> FindAsync(SessionReference reference, string host) =>
        await RetrieveAsync(reference) is { } ticket && SessionTicket.Read(ticket.Properties) is { } session
            && string.Equals(session.Host, host, StringComparison.OrdinalIgnoreCase) ? ticket : null;

    /// <summary>Determines whether a session that was retrieved is still one for this process.</summary>
    /// <remarks>The file is not read again, which costs as much as the rest of a retrieval. An end in this process removes the entry before
    /// it aborts the session's requests. A file that another process has deleted is noticed by the next retrieval, or by
    /// <see cref="RemoveEndedAsync"/>.</remarks>
    public bool Exists(SessionReference reference) => _entries.ContainsKey(reference.Hash);

    /// <summary>Ends a session, and aborts its open requests.</summary>
    public Task RemoveAsync(string key) =>
        SessionReference.TryParse(key, out var reference) ? RemoveByHashAsync(reference.Hash) : Task.CompletedTask;

    /// <summary>Ends a session after a time, so that requests that a browser has sent with its reference are still served.</summary>
    /// <remarks>Used when a sign-in of the same user replaces the session.</remarks>
    public async Task RetireAsync(string key, TimeSpan remaining)
    {
        if (!SessionReference.TryParse(key, out var reference) || FindVersion(reference.Hash) is not { } version
            || await ReadAsync(reference.Hash, version, CancellationToken.None) is not { } cached)
            return;
        var ticket = cached.Ticket.Clone();
        var end = _timeProvider.GetUtcNow() + remaining;
        ticket.Properties.ExpiresUtc = ticket.Properties.ExpiresUtc is { } earlier && earlier < end ? earlier : end;
        try
        {
            await TryRenewAsync(key, ticket);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            await RemoveByHashAsync(reference.Hash);
        }
    }

    /// <summary>Finds the sessions of a user, or of one session at the provider.</summary>
    /// <param name="issuer">The issuer of the ID tokens.</param>
    /// <param name="subject">The user; null: any.</param>
    /// <param name="sessionId">The session at the provider; null: any. Sessions of the user without a session identifier are included,
    /// since they may be the ones that are meant.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public Task<IReadOnlyList<FoundSession>> FindAsync(
        string issuer, string? subject, string? sessionId, CancellationToken cancellationToken) =>
        FindAsync(entry => entry.Is(issuer, subject, sessionId), cancellationToken);

    /// <summary>Returns all sessions. Their number is that of <c>Sessions:MaxSessions</c> at most.</summary>
    public Task<IReadOnlyList<FoundSession>> FindAllAsync(CancellationToken cancellationToken) =>
        FindAsync(static _ => true, cancellationToken);

    private async Task<IReadOnlyList<FoundSession>> FindAsync(Func<SessionEntry, bool> isSearched, CancellationToken cancellationToken)
    {
        await ScanAsync(cancellationToken);
        var found = new List<FoundSession>();
        foreach (var (hash, entry) in _entries)
        {
            if (!isSearched(entry) || FindVersion(hash) is not { } version)
                continue;
            if (await ReadAsync(hash, version, cancellationToken) is { } cached)
                found.Add(new FoundSession(hash, cached.Ticket.Clone()));
        }
        return found;
    }

    /// <summary>Ends a session by the hash of its reference, and aborts its open requests.</summary>
    public async Task RemoveByHashAsync(string hash)
    {
        var semaphore = GetLock(hash);
        await semaphore.WaitAsync();
        try
        {
            Delete(hash);
            Forget(hash);
        }
        finally
        {
            semaphore.Release();
        }
        _requests.Abort(hash);
    }

    /// <summary>Removes the sessions that have ended, and files that cannot be read. Aborts the open requests of ended sessions.</summary>
    /// <returns>The number of removed sessions.</returns>
    public async Task<int> RemoveEndedAsync(CancellationToken cancellationToken)
    {
        foreach (var hash in _undeleted.Keys)
            Delete(hash);
        await ScanAsync(cancellationToken);
        var (now, settings, removed) = (_timeProvider.GetUtcNow(), _settings(), 0);
        foreach (var (hash, entry) in _entries)
        {
            if (FindVersion(hash) is not { } version)
            {
                Forget(hash);
                _requests.Abort(hash);
                continue;
            }
            // Another process may have used the session.
            entry.Update(version);
            if (!entry.HasEnded(now, settings, _requests.IsOpen(hash)))
                continue;
            await RemoveByHashAsync(hash);
            removed++;
        }
        foreach (var hash in _unreadable.Keys)
        {
            if (FindVersion(hash) is { } version && version.LastWrite > (now - settings.AbsoluteLife).UtcDateTime)
                continue;
            _files.Delete(hash);
            _unreadable.TryRemove(hash, out _);
        }
        _files.DeleteUnfinished(now - TimeSpan.FromHours(1));
        if (removed > 0)
            SessionLog.SessionsExpired(_logger, removed);
        return removed;
    }

    public void Dispose()
    {
        _cache.Dispose();
        _scan.Dispose();
        foreach (var semaphore in _locks)
            semaphore.Dispose();
    }

    /// <summary>Returns the version of a session's file; null if there is none, or if the session has ended.</summary>
    private FileVersion? FindVersion(string hash) => _undeleted.ContainsKey(hash) ? null : _files.FindVersion(hash);

    /// <summary>Deletes the file of a session. The session has ended even if the file remains.</summary>
    private void Delete(string hash)
    {
        try
        {
            _files.Delete(hash);
            _undeleted.TryRemove(hash, out _);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (_undeleted.TryAdd(hash, true))
                SessionLog.SessionNotDeleted(_logger, hash[..8], error.Message);
        }
    }

    private SemaphoreSlim GetLock(string hash) => _locks[Convert.ToInt32(hash[..2], 16) % LockCount];

    /// <summary>Reads the sessions that another process, or this one before its restart, has stored.</summary>
    private async Task ScanAsync(CancellationToken cancellationToken)
    {
        await _scan.WaitAsync(cancellationToken);
        try
        {
            foreach (var hash in _files.FindAll())
            {
                if (!_entries.ContainsKey(hash) && !_unreadable.ContainsKey(hash) && FindVersion(hash) is { } version)
                    await ReadAsync(hash, version, cancellationToken);
            }
        }
        finally
        {
            _scan.Release();
        }
    }

    /// <summary>Reads a session from memory or from its file, and adds it to the entries; null if the file is not one.</summary>
    private async Task<Cached?> ReadAsync(string hash, FileVersion version, CancellationToken cancellationToken)
    {
        if (_cache.TryGetValue(hash, out Cached? cached) && cached!.Version == version && _entries.ContainsKey(hash))
            return cached;
        AuthenticationTicket? ticket;
        try
        {
            ticket = await _files.ReadAsync(hash, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            SessionLog.SessionUnreadable(_logger, hash[..8], error.GetType().Name);
            return null;
        }
        if (ticket is null || SessionTicket.Read(ticket.Properties) is not { } session || ticket.Properties.IssuedUtc is null)
        {
            // A file that is gone was ended meanwhile.
            if (FindVersion(hash) is not null && _unreadable.TryAdd(hash, true))
                SessionLog.SessionUnreadable(_logger, hash[..8], "the content is not of this gateway");
            Forget(hash);
            return null;
        }
        // Under the lock of the session: an end in between must not be undone by this entry.
        var semaphore = GetLock(hash);
        await semaphore.WaitAsync(cancellationToken);
        try
        {
            if (FindVersion(hash) is null)
                return null;
            if (_entries.TryGetValue(hash, out var entry))
                entry.Update(version);
            else
                _entries[hash] = new SessionEntry(session, ticket.Properties, version);
            cached = new Cached(ticket, version);
            _cache.Set(hash, cached, new MemoryCacheEntryOptions { Size = 2 * version.Length });
            return cached;
        }
        finally
        {
            semaphore.Release();
        }
    }

    private void Use(string hash, SessionEntry entry, Cached cached, DateTimeOffset now)
    {
        entry.LastUse = now.UtcDateTime;
        var limit = _settings().IdleLife / 20;
        if (now.UtcDateTime - entry.WrittenUse < (limit < MaxUnwrittenUse ? limit : MaxUnwrittenUse))
            return;
        if (_files.Touch(hash, now) is { } version)
            (cached.Version, entry.WrittenUse) = (version, now.UtcDateTime);
    }

    private void Forget(string hash)
    {
        _entries.TryRemove(hash, out _);
        _cache.Remove(hash);
    }

    /// <summary>Ends the user's oldest sessions above the limit for a user. Users cannot end sessions of others by signing in
    /// often.</summary>
    private async Task EnforceLimitsAsync(SessionTicket session)
    {
        var settings = _settings();
        // AuthenticationProperties stores the time of the sign-in in whole seconds. Of the sessions of one second, the least recently used
        // one ends. In arbitrary order, a session that was just created could end.
        var own = _entries.Where(pair => pair.Value.Is(session.Issuer, session.Subject, sessionId: null))
            .OrderBy(static pair => pair.Value.Issued).ThenBy(static pair => pair.Value.LastUse).ToList();
        foreach (var (hash, _) in own.Take(own.Count - settings.MaxSessionsPerUser + 1))
            await RemoveByHashAsync(hash);
        if (_entries.Count >= settings.MaxSessions)
            await RemoveEndedAsync(CancellationToken.None);
        if (_entries.Count < settings.MaxSessions)
            return;
        SessionLog.SessionLimitReached(_logger, settings.MaxSessions);
        throw new SessionLimitException(settings.MaxSessions);
    }

    private sealed class Cached(AuthenticationTicket ticket, FileVersion version)
    {
        private readonly Lock _lock = new();
        private FileVersion _version = version;

        public AuthenticationTicket Ticket => ticket;

        public FileVersion Version
        {
            get
            {
                lock (_lock)
                    return _version;
            }

            set
            {
                lock (_lock)
                    _version = value;
            }
        }
    }
}

/// <summary>A session that was found by its user.</summary>
/// <param name="Hash">The hash of its reference.</param>
/// <param name="Ticket">A copy of its content.</param>
internal sealed record FoundSession(string Hash, AuthenticationTicket Ticket);

/// <summary>Thrown when there are as many sessions as the settings allow.</summary>
internal sealed class SessionLimitException(int limit)
    : Exception($"There are {limit} sessions, the limit of Sessions:MaxSessions. Raise the limit, or reduce Sessions:IdleLife.");
