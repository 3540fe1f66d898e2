using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The tickets of one client. One exchange runs for a key however many callers wait for it; it has its own deadline and no
/// caller's context, and a failure is forgotten before its waiters resume. Thread-safe; a hit takes no lock.</summary>
internal sealed class TicketStore : IAsyncDisposable
{
    /// <summary>What an entry costs beside the bytes of its ticket: key, names, session key, dictionary and queue (measured).</summary>
    private const int EntryOverhead = 1024;

    private static readonly TimeSpan SweepPeriod = TimeSpan.FromMinutes(1);

    private readonly TicketCacheOptions _options;
    private readonly TimeSpan _timeout;
    private readonly KdcClock _clock;
    private readonly ILogger _logger;
    private readonly TicketCacheMetrics _metrics;
    private readonly ConcurrentDictionary<TicketKey, TicketEntry> _entries = new();
    private readonly ConcurrentDictionary<TicketFlight, byte> _flights = new();
    private readonly EvictionClock _eviction = new();
    private readonly ITimer _sweep;
    private long _bytes;
    private int _count;
    private volatile bool _disposed;

    public TicketStore(TicketCacheOptions options, TimeSpan timeout, KdcClock clock, ILogger logger)
    {
        (_options, _timeout, _clock, _logger) = (options, timeout, clock, logger);
        _metrics = new TicketCacheMetrics(() => Volatile.Read(ref _count), () => Volatile.Read(ref _bytes));
        _sweep = clock.TimeProvider.CreateTimer(static state => ((TicketStore)state!).Sweep(), this, SweepPeriod, SweepPeriod);
    }

    public int Count => Volatile.Read(ref _count);

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The common path: a ticket that is good and not yet due for renewal.</summary>
    public bool TryGet<T>(TicketKey key, [NotNullWhen(true)] out T? ticket)
        where T : class, ICachedTicket
    {
        ticket = null;
        ObjectDisposedException.ThrowIf(_disposed, typeof(S4UClient));
        if (!_entries.TryGetValue(key, out var entry) || entry.Current is not { } held)
            return false;
        var now = _clock.Now;
        if (!IsUsable(held, now) || now >= held.RefreshAt)
            return false;
        // Written only when it changes: a hit of many threads on one user must not fight for a cache line.
        if (!entry.IsUsed)
            entry.IsUsed = true;
        _metrics.Hit(key.Kind);
        ticket = (T)held.Ticket;
        return true;
    }

    /// <summary>The ticket under the key, from the cache or by <paramref name="request"/>.</summary>
    /// <exception cref="KerberosException">The exchange failed, or a KDC's refusal is remembered.</exception>
    /// <exception cref="OperationCanceledException">The caller's token; the exchange goes on for the others.</exception>
    public async Task<T> GetOrAddAsync<T>(TicketKey key, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
        where T : class, ICachedTicket
    {
        if (TryGet<T>(key, out var ticket))
            return ticket;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_disposed, typeof(S4UClient));
            var entry = _entries.GetOrAdd(key, static k => new TicketEntry(k));
            TicketFlight flight;
            lock (entry.Lock)
            {
                if (entry.IsRemoved)
                    continue;
                var now = _clock.Now;
                if (entry.Current is { } held && IsUsable(held, now))
                {
                    // Good still, and due: renewed in the background while everybody goes on with what there is.
                    if (now >= held.RefreshAt)
                        entry.Flight ??= Start(entry, request);
                    entry.IsUsed = true;
                    _metrics.Hit(key.Kind);
                    return (T)held.Ticket;
                }
                if (entry.Refusal is { } refusal && now < entry.RefusalUntil)
                {
                    _metrics.Refusal(key.Kind);
                    throw new KerberosException(refusal);
                }
                flight = entry.Flight ??= Start(entry, request);
            }
            _metrics.Wait(key.Kind);
            switch (await flight.WaitAsync(cancellationToken).ConfigureAwait(false))
            {
                case FlightOutcome.Landed landed:
                    return (T)landed.Ticket;
                case FlightOutcome.Failed failed:
                    throw new KerberosException(failed.Failure, failed.Error);
                case FlightOutcome.Faulted { Error: ObjectDisposedException }:
                    throw new ObjectDisposedException(nameof(S4UClient));
                case FlightOutcome.Faulted faulted:
                    throw new InvalidOperationException("The exchange with the KDC failed; see the inner exception.", faulted.Error);
                default:
                    continue;
            }
        }
    }

    /// <summary>Drops the ticket if it is still the one under the key: a KDC no longer takes it.</summary>
    public void Drop(TicketKey key, ICachedTicket ticket)
    {
        if (!_entries.TryGetValue(key, out var entry))
            return;
        lock (entry.Lock)
        {
            if (!entry.IsRemoved && ReferenceEquals(entry.Current?.Ticket, ticket))
                Remove(entry);
        }
    }

    /// <summary>Drops every entry that the predicate selects, the exchanges under way for them included. Gives the number of entries.</summary>
    public int Purge(Func<TicketKey, bool> selects)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(S4UClient));
        var dropped = 0;
        foreach (var entry in _entries.Values.Where(entry => selects(entry.Key)))
        {
            lock (entry.Lock)
            {
                if (entry.IsRemoved)
                    continue;
                if (entry.Current is not null || entry.Flight is not null)
                    dropped++;
                Remove(entry);
            }
        }
        return dropped;
    }

    /// <summary>Lets the exchanges under way end, so that no key is zeroed beneath one.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await _sweep.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_flights.Keys.Select(flight => flight.Outcome)).ConfigureAwait(false);
        foreach (var entry in _entries.Values)
        {
            lock (entry.Lock)
            {
                var ticket = entry.Current?.Ticket;
                Remove(entry);
                ticket?.Dispose();
            }
        }
        _metrics.Dispose();
    }

    private bool IsUsable(TicketEntry.Holding held, DateTimeOffset now) => held.Ticket.EndTime - now >= _options.MinimumRemainingLife;

    /// <summary>Called under the entry's lock.</summary>
    private TicketFlight Start<T>(TicketEntry entry, Func<CancellationToken, Task<T>> request)
        where T : class, ICachedTicket
    {
        var flight = new TicketFlight();
        _flights.TryAdd(flight, 0);
        // In this order: either DisposeAsync sees the flight and waits for it, or the flight sees that it is too late.
        if (_disposed)
        {
            _flights.TryRemove(flight, out _);
            throw new ObjectDisposedException(nameof(S4UClient));
        }
        _metrics.Exchange(entry.Key.Kind);
        // The exchange serves many callers: none of them may lend it his principal, culture, span or other ambient state.
        using (ExecutionContext.SuppressFlow())
            _ = Task.Run(() => FlyAsync(entry, flight, request), CancellationToken.None);
        return flight;
    }

    private async Task FlyAsync<T>(TicketEntry entry, TicketFlight flight, Func<CancellationToken, Task<T>> request)
        where T : class, ICachedTicket
    {
        using var activity = TicketCacheMetrics.Activities.StartActivity(entry.Key.Kind.ToString());
        flight.Activity = activity;
        using var deadline = new CancellationTokenSource(_timeout, _clock.TimeProvider);
        FlightOutcome outcome;
        try
        {
            outcome = new FlightOutcome.Landed(await request(deadline.Token).ConfigureAwait(false));
        }
        catch (KerberosException error)
        {
            outcome = new FlightOutcome.Failed(error.Failure, error);
        }
        catch (OperationCanceledException error) when (deadline.IsCancellationRequested)
        {
            // What had been tried by then is said by the exception inside.
            var soFar = (error.InnerException as KerberosException)?.Failure ?? new KerberosFailure();
            var detail = $"no ticket within {_timeout.TotalSeconds:0.###} s{(soFar.Detail.Length > 0 ? ": " : "")}{soFar.Detail}";
            outcome = new FlightOutcome.Failed(soFar with { Code = null, Reason = KerberosFailureReason.KdcUnreachable, IsTransient = true, Detail = detail }, error);
        }
        catch (ObjectDisposedException error) when (_disposed)
        {
            outcome = new FlightOutcome.Faulted(error);
        }
#pragma warning disable CA1031 // whatever it was, the waiters must hear of it; nothing is swallowed
        catch (Exception error)
#pragma warning restore CA1031
        {
            KerberosLog.ExchangeFaulted(_logger, error);
            outcome = new FlightOutcome.Faulted(error);
        }
        outcome = Land(entry, flight, outcome);
        if (outcome is FlightOutcome.Failed failed)
            activity?.SetStatus(System.Diagnostics.ActivityStatusCode.Error, failed.Failure.Describe());
        _flights.TryRemove(flight, out _);
        flight.Complete(outcome);
        EvictOverflow();
    }

    /// <summary>Stores what came, or forgets it, before any waiter hears of it.</summary>
    private FlightOutcome Land(TicketEntry entry, TicketFlight flight, FlightOutcome outcome)
    {
        lock (entry.Lock)
        {
            if (!ReferenceEquals(entry.Flight, flight) || entry.IsRemoved)
            {
                (outcome as FlightOutcome.Landed)?.Ticket.Retire();
                return outcome is FlightOutcome.Landed ? new FlightOutcome.Purged() : outcome;
            }
            entry.Flight = null;
            switch (outcome)
            {
                case FlightOutcome.Landed landed:
                    Hold(entry, landed.Ticket);
                    break;
                case FlightOutcome.Failed { Failure.IsTransient: true } failed when entry.Current is not null:
                    KerberosLog.RefreshFailed(_logger, failed.Failure.Describe());
                    entry.Current = entry.Current with { RefreshAt = _clock.Now + _options.RefusalLife };
                    break;
                case FlightOutcome.Failed { Failure: { IsTransient: false, Code: not null } refusal } when IsAnswerTo(entry.Key.Kind, refusal):
                    // A KDC that refuses today what it allowed is believed: the ticket at hand goes too.
                    _metrics.Refusal(entry.Key.Kind);
                    Unhold(entry);
                    (entry.Refusal, entry.RefusalUntil) = (refusal, _clock.Now + _options.RefusalLife);
                    break;
                default:
                    if (entry.Current is null)
                        Remove(entry);
                    break;
            }
            return outcome;
        }
    }

    /// <summary>A user's entry must not remember that the account's own log-on was refused: that is the account's entry's to know, and
    /// to forget as soon as the account is mended.</summary>
    private static bool IsAnswerTo(TicketKind kind, KerberosFailure refusal) => kind switch
    {
        // Errors are not authenticated: one forged packet must not keep the account from its work. Only what a second try would make worse is kept.
        // A rejected key is remembered where the key is known (RejectedKeyMemory), so that a corrected one is taken at once.
        TicketKind.Tgt => refusal is { Exchange: KerberosExchange.LogOn, Code: KerberosErrorCode.ClientRevoked or KerberosErrorCode.KeyExpired },
        TicketKind.Evidence => refusal.Exchange is KerberosExchange.RealmDiscovery or KerberosExchange.Referral or KerberosExchange.S4U2Self,
        _ => refusal.Exchange is KerberosExchange.Referral or KerberosExchange.S4U2Proxy,
    };

    private void Hold(TicketEntry entry, ICachedTicket ticket)
    {
        Unhold(entry);
        entry.Refusal = null;
        entry.IsUsed = false;
        entry.Current = new TicketEntry.Holding(ticket, RefreshTime(ticket));
        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _bytes, ticket.Size + EntryOverhead);
        if (!entry.IsQueued)
        {
            entry.IsQueued = true;
            _eviction.Add(entry);
        }
    }

    /// <summary>The ticket at hand goes; callers who have it keep a ticket that makes no more headers only when it was purged, so a
    /// renewed one is not retired.</summary>
    private void Unhold(TicketEntry entry)
    {
        if (entry.Current is not { } held)
            return;
        entry.Current = null;
        Interlocked.Decrement(ref _count);
        Interlocked.Add(ref _bytes, -(held.Ticket.Size + EntryOverhead));
    }

    /// <summary>Called under the entry's lock.</summary>
    private void Remove(TicketEntry entry)
    {
        entry.Current?.Ticket.Retire();
        Unhold(entry);
        entry.IsRemoved = true;
        entry.Flight = null;
        _entries.TryRemove(new KeyValuePair<TicketKey, TicketEntry>(entry.Key, entry));
    }

    private DateTimeOffset RefreshTime(ICachedTicket ticket)
    {
        var life = ticket.EndTime - _clock.Now;
        var ahead = life > 5 * _options.RefreshAhead ? _options.RefreshAhead : life / 5;
        var jitter = ahead / 5 * (RandomNumberGenerator.GetInt32(1 << 16) / (double)(1 << 16));
        return ticket.EndTime - ahead - jitter;
    }

    private void EvictOverflow()
    {
        while (Volatile.Read(ref _count) > _options.MaxEntries || Volatile.Read(ref _bytes) > _options.MaxBytes)
        {
            if (_eviction.Next() is not { } entry)
                return;
            lock (entry.Lock)
            {
                if (entry.IsRemoved)
                    continue;
                _metrics.Eviction(entry.Key.Kind);
                Remove(entry);
            }
        }
    }

    /// <summary>Drops what has ended, and refusals that are over.</summary>
    private void Sweep()
    {
        var now = _clock.Now;
        foreach (var entry in _entries.Values)
        {
            lock (entry.Lock)
            {
                if (entry.Flight is null && (entry.Current is { } held ? !IsUsable(held, now) : now >= entry.RefusalUntil))
                    Remove(entry);
            }
        }
        _eviction.Sweep();
    }
}
