using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The tickets of one client. One exchange runs for a key however many callers wait for it; it has its own deadline and no
/// caller's context, and a failure is forgotten before its waiters resume. Thread-safe; a hit takes no lock.</summary>
internal sealed class TicketStore : IAsyncDisposable
{
    private readonly TimeSpan _timeout;
    private readonly KdcClock _clock;
    private readonly ILogger _logger;
    private readonly TicketShelf _shelf;
    private readonly ConcurrentDictionary<TicketFlight, byte> _flights = new();
    private volatile bool _disposed;

    public TicketStore(TicketCacheOptions options, TimeSpan timeout, KdcClock clock, ILogger logger)
    {
        (_timeout, _clock, _logger) = (timeout, clock, logger);
        _shelf = new TicketShelf(options, clock);
    }

    public int Count => _shelf.Count;

    public long Bytes => _shelf.Bytes;

    /// <summary>The common path: a ticket that is good and not yet due for renewal.</summary>
    public bool TryGet<T>(TicketKey key, [NotNullWhen(true)] out T? ticket)
        where T : class, ICachedTicket
    {
        ticket = null;
        ObjectDisposedException.ThrowIf(_disposed, typeof(S4UClient));
        if (!_shelf.TryFind(key, out var entry) || !entry.TryUse(_clock.Now, out var held))
            return false;
        // Written only when it changes: a hit of many threads on one user must not fight for a cache line.
        if (!entry.IsUsed)
            entry.IsUsed = true;
        _shelf.Metrics.Hit(key.Kind);
        ticket = (T)held;
        return true;
    }

    /// <summary>The ticket under the key, from the cache or by <paramref name="request"/>.</summary>
    /// <exception cref="KerberosException">The exchange failed, or a KDC's refusal is remembered.</exception>
    /// <exception cref="OperationCanceledException">The caller's token; the exchange goes on for the others.</exception>
    public Task<T> GetOrAddAsync<T>(TicketKey key, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
        where T : class, ICachedTicket =>
        TryGet<T>(key, out var ticket) ? Task.FromResult(ticket) : AddAsync(key, request, FlyApartAsync, cancellationToken);

    /// <summary><see cref="GetOrAddAsync"/> for who is in an exchange of this cache himself: what he needs first is begun where he is,
    /// without going through the thread pool. Others may wait for it all the same, and it goes on when he is out of time.</summary>
    public Task<T> GetOrAddFirstAsync<T>(TicketKey key, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
        where T : class, ICachedTicket =>
        TryGet<T>(key, out var ticket) ? Task.FromResult(ticket) : AddAsync(key, request, FlyAsync, cancellationToken);

    /// <summary>Drops the ticket if it is still the one under the key: a KDC no longer takes it.</summary>
    public void Drop(TicketKey key, ICachedTicket ticket)
    {
        if (!_shelf.TryFind(key, out var entry))
            return;
        lock (entry)
        {
            if (!entry.IsRemoved && ReferenceEquals(entry.Ticket, ticket))
                _shelf.Remove(entry);
        }
    }

    /// <summary>Drops every entry that the predicate selects, the exchanges under way for them included. Gives the number of entries.</summary>
    public int Purge(Func<TicketKey, bool> selects)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(S4UClient));
        var dropped = 0;
        foreach (var entry in _shelf.Entries.Where(entry => selects(entry.Key)))
        {
            lock (entry)
            {
                if (entry.IsRemoved)
                    continue;
                if (entry.Ticket is not null || entry.Flight is not null)
                    dropped++;
                _shelf.Remove(entry);
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
        await Task.WhenAll(_flights.Keys.Select(flight => flight.Outcome)).ConfigureAwait(false);
        await _shelf.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<T> AddAsync<T>(
        TicketKey key,
        Func<CancellationToken, Task<T>> request,
        Func<TicketEntry, TicketFlight, Func<CancellationToken, Task<T>>, Task<FlightOutcome>> fly,
        CancellationToken cancellationToken)
        where T : class, ICachedTicket
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_disposed, typeof(S4UClient));
            var entry = _shelf.FindOrAdd(key);
            TicketFlight flight;
            var isNew = false;
            lock (entry)
            {
                if (entry.IsRemoved)
                    continue;
                var now = _clock.Now;
                if (entry.Ticket is { } held && _shelf.IsUsable(held, now))
                {
                    // Good still, and due: renewed in the background while everybody goes on with what there is.
                    if (entry.IsDue(now) && entry.Flight is null)
                        _ = FlyApartAsync(entry, entry.Flight = Begin(key), request);
                    entry.IsUsed = true;
                    _shelf.Metrics.Hit(key.Kind);
                    return (T)held;
                }
                if (entry.Refusal is { } refusal && now < refusal.Until)
                {
                    _shelf.Metrics.Refusal(key.Kind);
                    throw new KerberosException(refusal.Failure);
                }
                isNew = entry.Flight is null;
                flight = entry.Flight ??= Begin(key);
            }
            _shelf.Metrics.Miss(key.Kind);
            if (!isNew)
                _shelf.Metrics.Wait(key.Kind);
            var outcome = isNew ? fly(entry, flight, request).WaitAsync(cancellationToken) : flight.WaitAsync(cancellationToken);
            switch (await outcome.ConfigureAwait(false))
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

    /// <summary>Called under the entry's lock; the flight is flown by whoever began it.</summary>
    private TicketFlight Begin(TicketKey key)
    {
        var flight = new TicketFlight();
        _flights.TryAdd(flight, 0);
        // In this order: either DisposeAsync sees the flight and waits for it, or the flight sees that it is too late.
        if (_disposed)
        {
            _flights.TryRemove(flight, out _);
            throw new ObjectDisposedException(nameof(S4UClient));
        }
        _shelf.Metrics.Exchange(key.Kind);
        return flight;
    }

    /// <summary>The exchange serves many callers: none of them may lend it his principal, culture, span or other ambient state.</summary>
    private Task<FlightOutcome> FlyApartAsync<T>(TicketEntry entry, TicketFlight flight, Func<CancellationToken, Task<T>> request)
        where T : class, ICachedTicket
    {
        using var apart = ExecutionContext.SuppressFlow();
        return Task.Run(() => FlyAsync(entry, flight, request), CancellationToken.None);
    }

    private async Task<FlightOutcome> FlyAsync<T>(TicketEntry entry, TicketFlight flight, Func<CancellationToken, Task<T>> request)
        where T : class, ICachedTicket
    {
        using var activity = flight.StartActivity(entry.Key.Kind);
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
        _shelf.EvictOverflow();
        return outcome;
    }

    /// <summary>Stores what came, or forgets it, before any waiter hears of it.</summary>
    private FlightOutcome Land(TicketEntry entry, TicketFlight flight, FlightOutcome outcome)
    {
        lock (entry)
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
                    _shelf.Hold(entry, landed.Ticket);
                    break;
                case FlightOutcome.Failed { Failure: { IsTransient: false, Code: not null } refusal } when IsAnswerTo(entry.Key.Kind, refusal):
                    _shelf.Refuse(entry, refusal);
                    break;
                case FlightOutcome.Failed failed when entry.Ticket is { } held:
                    KerberosLog.RefreshFailed(_logger, failed.Failure.Describe());
                    _shelf.PostponeRefresh(entry, held);
                    break;
                default:
                    if (entry.Ticket is null)
                        _shelf.Remove(entry);
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
}
