using System.Collections.Concurrent;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.Time;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The entries of the cache, within their bounds and lifetimes. A look-up takes no lock. Methods that change an entry are called
/// under the entry's lock.</summary>
internal sealed class TicketTable : IAsyncDisposable
{
    /// <summary>The memory of an entry without the bytes of its ticket: key, names, session key, dictionary and queue (measured).</summary>
    private const int EntryOverhead = 1024;

    /// <summary>A margin is at most this share of the lifetime.</summary>
    private const int ShortLifeShare = 5;

    private static readonly TimeSpan SweepPeriod = TimeSpan.FromMinutes(1);

    private readonly TicketCacheOptions _options;
    private readonly KdcClock _clock;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<TicketKey, TicketEntry> _entries = new();
    private readonly EvictionQueue _eviction = new();
    private readonly ITimer _sweep;
    private long _bytes;
    private int _count;
    private int _shortLifeLogged;

    public TicketTable(TicketCacheOptions options, KdcClock clock, ILogger logger)
    {
        (_options, _clock, _logger) = (options, clock, logger);
        Metrics = new TicketCacheMetrics(() => Count, () => Bytes);
        _sweep = clock.TimeProvider.CreateTimer(static state => ((TicketTable)state!).Sweep(), this, SweepPeriod, SweepPeriod);
    }

    public TicketCacheMetrics Metrics { get; }

    public int Count => Volatile.Read(ref _count);

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Gets the entries, to look them up. Only this class adds and removes them.</summary>
    public IReadOnlyDictionary<TicketKey, TicketEntry> Entries => _entries;

    public TicketEntry FindOrAdd(TicketKey key) => _entries.GetOrAdd(key, static k => new TicketEntry(k));

    /// <summary>Stores a ticket in its entry.</summary>
    public void Store(TicketEntry entry, ICachedTicket ticket)
    {
        ClearTicket(entry);
        entry.Refusal = null;
        // A caller waits for it: it must not be evicted first.
        entry.IsUsed = true;
        var (refreshAt, lastUse) = GetTimes(entry.Key, ticket);
        entry.Store(ticket, refreshAt, lastUse, _clock.MonotonicSeconds);
        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _bytes, ticket.Size + EntryOverhead);
        if (!entry.IsQueued)
        {
            entry.IsQueued = true;
            _eviction.Add(entry);
        }
    }

    /// <summary>Keeps the current ticket and delays the next attempt to renew it.</summary>
    public void PostponeRefresh(TicketEntry entry) => entry.RefreshAt(Earlier(_clock.Now + _options.RefusalLife, entry.LastUse));

    /// <summary>Stores a refusal. A KDC that refuses what it allowed before is trusted: the current ticket is removed too.</summary>
    public void Refuse(TicketEntry entry, KerberosFailure refusal)
    {
        Metrics.Refusal(entry.Key.Kind);
        ClearTicket(entry);
        entry.Refusal = new TicketEntry.RememberedRefusal(refusal, _clock.Now + _options.RefusalLife);
    }

    public void Remove(TicketEntry entry)
    {
        foreach (var ticket in entry.GetAllTickets())
            ticket.Retire();
        ClearTicket(entry);
        entry.IsRemoved = true;
        entry.Pending = null;
        _entries.TryRemove(new KeyValuePair<TicketKey, TicketEntry>(entry.Key, entry));
    }

    public void EvictOverflow()
    {
        while (Count > _options.MaxEntries || Bytes > _options.MaxBytes)
        {
            if (_eviction.Next() is not { } entry)
                return;
            lock (entry)
            {
                if (entry.IsRemoved)
                    continue;
                Metrics.Eviction(entry.Key.Kind);
                Remove(entry);
            }
        }
    }

    /// <summary>Removes all entries and zeroes all keys.</summary>
    public async ValueTask DisposeAsync()
    {
        await _sweep.DisposeAsync().ConfigureAwait(false);
        foreach (var entry in _entries.Values)
        {
            lock (entry)
            {
                var tickets = entry.GetAllTickets().ToList();
                Remove(entry);
                tickets.ForEach(static ticket => ticket.Destroy());
            }
        }
        Metrics.Dispose();
    }

    /// <summary>Removes the current ticket from its entry.</summary>
    /// <remarks>Only a purged or evicted ticket creates no more headers, so a ticket that was renewed is retired with its entry.</remarks>
    private void ClearTicket(TicketEntry entry)
    {
        if (entry.Ticket is not { } held)
            return;
        entry.Clear();
        Interlocked.Decrement(ref _count);
        Interlocked.Add(ref _bytes, -(held.Size + EntryOverhead));
    }

    private (DateTimeOffset RefreshAt, DateTimeOffset LastUse) GetTimes(TicketKey key, ICachedTicket ticket)
    {
        var now = _clock.Now;
        var margin = Share(ticket.EndTime - now, _options.MinimumRemainingLife);
        if (margin < _options.MinimumRemainingLife)
            LogShortLife(key, ticket.EndTime - now, margin);
        var end = Earlier(ticket.EndTime, GetMaxAge(key.Kind) is { } age ? now + age : DateTimeOffset.MaxValue);
        var lastUse = Earlier(ticket.EndTime - margin, end);
        var ahead = Share(end - now, _options.RefreshAhead);
        var jitter = ahead / 5 * (RandomNumberGenerator.GetInt32(1 << 16) / (double)(1 << 16));
        return (Earlier(end - ahead - jitter, lastUse), lastUse);
    }

    /// <summary>Returns the margin, or its share of a lifetime that is short in comparison.</summary>
    private static TimeSpan Share(TimeSpan life, TimeSpan margin)
    {
        if (life > ShortLifeShare * margin)
            return margin;
        return life > TimeSpan.Zero ? life / ShortLifeShare : TimeSpan.Zero;
    }

    private TimeSpan? GetMaxAge(TicketKind kind) => kind switch
    {
        TicketKind.Evidence => _options.MaxEvidenceAge,
        TicketKind.Service => _options.MaxTicketAge,
        _ => null,
    };

    private void LogShortLife(TicketKey key, TimeSpan life, TimeSpan margin)
    {
        // A ticket that the user presented may be near its end, which is no setting of the KDC.
        if (key.Kind == TicketKind.Service && key.Evidence != EvidenceOrigin.ProtocolTransition)
            return;
        if (Interlocked.Exchange(ref _shortLifeLogged, 1) == 0)
            TicketCacheLog.ShortLife(_logger, life, _options.MinimumRemainingLife, margin);
    }

    private static DateTimeOffset Earlier(DateTimeOffset left, DateTimeOffset right) => left < right ? left : right;

    /// <summary>Removes entries whose ticket has ended or is too old and whose refusal is over.</summary>
    private void Sweep()
    {
        if (_clock.ForgetOffsetIfClockWasSet() is { } forgotten)
            TicketCacheLog.ClockWasSet(_logger, forgotten);
        var now = _clock.Now;
        foreach (var entry in _entries.Values)
        {
            lock (entry)
            {
                if (entry.Pending is null && (entry.Ticket is null ? !HasRefusal(entry, now) : !entry.IsUsable(now) || IsTooOld(entry)))
                    Remove(entry);
            }
        }
        _eviction.Sweep();
    }

    private static bool HasRefusal(TicketEntry entry, DateTimeOffset now) => entry.Refusal is { } refusal && now < refusal.Until;

    /// <summary>Compares the age by the monotonic clock: a machine's clock that was set back must not extend it.</summary>
    private bool IsTooOld(TicketEntry entry) =>
        GetMaxAge(entry.Key.Kind) is { } age && _clock.MonotonicSeconds - entry.ReceivedAt > age.TotalSeconds;
}
