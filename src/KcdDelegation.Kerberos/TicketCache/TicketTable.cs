using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.Time;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>What the cache holds, within its bounds and for as long as it is good. Looking up takes no lock; whatever changes an entry is
/// called under the entry's lock.</summary>
internal sealed class TicketTable : IAsyncDisposable
{
    /// <summary>What an entry costs beside the bytes of its ticket: key, names, session key, dictionary and queue (measured).</summary>
    private const int EntryOverhead = 1024;

    private static readonly TimeSpan SweepPeriod = TimeSpan.FromMinutes(1);

    private readonly TicketCacheOptions _options;
    private readonly KdcClock _clock;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<TicketKey, TicketEntry> _entries = new();
    private readonly EvictionQueue _eviction = new();
    private readonly ITimer _sweep;
    private long _bytes;
    private int _count;

    public TicketTable(TicketCacheOptions options, KdcClock clock, ILogger logger)
    {
        (_options, _clock, _logger) = (options, clock, logger);
        Metrics = new TicketCacheMetrics(() => Count, () => Bytes);
        _sweep = clock.TimeProvider.CreateTimer(static state => ((TicketTable)state!).Sweep(), this, SweepPeriod, SweepPeriod);
    }

    public TicketCacheMetrics Metrics { get; }

    public int Count => Volatile.Read(ref _count);

    public long Bytes => Volatile.Read(ref _bytes);

    public IEnumerable<TicketEntry> Entries => _entries.Values;

    public bool TryFind(TicketKey key, [NotNullWhen(true)] out TicketEntry? entry) => _entries.TryGetValue(key, out entry);

    public TicketEntry FindOrAdd(TicketKey key) => _entries.GetOrAdd(key, static k => new TicketEntry(k));

    public bool IsUsable(ICachedTicket held, DateTimeOffset now) => now <= LastUse(held);

    public void Hold(TicketEntry entry, ICachedTicket ticket)
    {
        TakeOff(entry);
        entry.Refusal = null;
        // Somebody waits for it: it must not be the first to go.
        entry.IsUsed = true;
        entry.Put(ticket, RefreshTime(ticket));
        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _bytes, ticket.Size + EntryOverhead);
        if (!entry.IsQueued)
        {
            entry.IsQueued = true;
            _eviction.Add(entry);
        }
    }

    /// <summary>Keeps the ticket at hand, and asks no more before a while has passed.</summary>
    public void PostponeRefresh(TicketEntry entry, ICachedTicket held) =>
        entry.RefreshAt(Earlier(_clock.Now + _options.RefusalLife, LastUse(held)));

    /// <summary>A KDC that refuses today what it allowed is believed: the ticket at hand goes too.</summary>
    public void Refuse(TicketEntry entry, KerberosFailure refusal)
    {
        Metrics.Refusal(entry.Key.Kind);
        TakeOff(entry);
        entry.Refusal = new TicketEntry.RememberedRefusal(refusal, _clock.Now + _options.RefusalLife);
    }

    public void Remove(TicketEntry entry)
    {
        foreach (var ticket in entry.EveryTicket())
            ticket.Retire();
        TakeOff(entry);
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

    /// <summary>Drops everything and zeroes every key.</summary>
    public async ValueTask DisposeAsync()
    {
        await _sweep.DisposeAsync().ConfigureAwait(false);
        foreach (var entry in _entries.Values)
        {
            lock (entry)
            {
                var tickets = entry.EveryTicket().ToList();
                Remove(entry);
                tickets.ForEach(static ticket => ticket.Destroy());
            }
        }
        Metrics.Dispose();
    }

    /// <summary>The ticket at hand goes. Callers may still have it, and only one that was purged or evicted makes no more headers, so a
    /// renewed one is not retired until its entry is.</summary>
    private void TakeOff(TicketEntry entry)
    {
        if (entry.Ticket is not { } held)
            return;
        entry.Clear();
        Interlocked.Decrement(ref _count);
        Interlocked.Add(ref _bytes, -(held.Size + EntryOverhead));
    }

    private DateTimeOffset RefreshTime(ICachedTicket ticket)
    {
        var life = ticket.EndTime - _clock.Now;
        var ahead = life > 5 * _options.RefreshAhead ? _options.RefreshAhead : life / 5;
        var jitter = ahead / 5 * (RandomNumberGenerator.GetInt32(1 << 16) / (double)(1 << 16));
        return Earlier(ticket.EndTime - ahead - jitter, LastUse(ticket));
    }

    private DateTimeOffset LastUse(ICachedTicket ticket) => ticket.EndTime - _options.MinimumRemainingLife;

    private static DateTimeOffset Earlier(DateTimeOffset left, DateTimeOffset right) => left < right ? left : right;

    /// <summary>Drops what has ended, and refusals that are over.</summary>
    private void Sweep()
    {
        if (_clock.ForgetOffsetIfClockWasSet() is { } forgotten)
            TicketCacheLog.ClockWasSet(_logger, forgotten);
        var now = _clock.Now;
        foreach (var entry in _entries.Values)
        {
            lock (entry)
            {
                if (entry.Pending is null && (entry.Ticket is { } held ? !IsUsable(held, now) : entry.Refusal is not { } refusal || now >= refusal.Until))
                    Remove(entry);
            }
        }
        _eviction.Sweep();
    }
}
