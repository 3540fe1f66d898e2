using System.Diagnostics.CodeAnalysis;
using KcdDelegation.Kerberos.Time;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The tickets of one client. One exchange runs for a key however many callers wait for it. Thread-safe; a hit takes no lock.</summary>
internal sealed class TicketStore : IAsyncDisposable
{
    /// <summary>The public type that owns the store, for <see cref="ObjectDisposedException"/>: callers know no other.</summary>
    public const string OwnerName = "S4UClient";

    private readonly KdcClock _clock;
    private readonly TicketTable _table;
    private readonly PendingExchanges _pending;
    private volatile bool _disposed;

    public TicketStore(TicketCacheOptions options, TimeSpan timeout, KdcClock clock, ILogger logger)
    {
        _clock = clock;
        _table = new TicketTable(options, clock, logger);
        _pending = new PendingExchanges(_table, timeout, clock, logger);
    }

    public int Count => _table.Count;

    public long Bytes => _table.Bytes;

    /// <summary>The common path: a ticket that is good and not yet due for renewal.</summary>
    public bool TryGet<T>(TicketKey key, [NotNullWhen(true)] out T? ticket)
        where T : class, ICachedTicket
    {
        ticket = null;
        ThrowIfDisposed();
        if (!_table.TryFind(key, out var entry) || !entry.TryUse(_clock.Now, out var held))
            return false;
        // Written only when it changes: a hit of many threads on one user must not fight for a cache line.
        if (!entry.IsUsed)
            entry.IsUsed = true;
        _table.Metrics.Hit(key.Kind);
        ticket = (T)held;
        return true;
    }

    /// <summary>The ticket under the key, from the cache or by <paramref name="request"/>.</summary>
    /// <exception cref="KerberosException">The exchange failed, or a KDC's refusal is remembered.</exception>
    /// <exception cref="OperationCanceledException">The caller's token; the exchange goes on for the others.</exception>
    public Task<T> GetOrAddAsync<T>(TicketKey key, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
        where T : class, ICachedTicket =>
        TryGet<T>(key, out var ticket) ? Task.FromResult(ticket) : AddAsync(key, request, _pending.RunDetachedAsync, cancellationToken);

    /// <summary><see cref="GetOrAddAsync"/> for who is in an exchange of this cache himself: what he needs first is begun where he is,
    /// without going through the thread pool. Others may wait for it all the same, and it goes on when he is out of time.</summary>
    public Task<T> GetOrAddNestedAsync<T>(TicketKey key, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
        where T : class, ICachedTicket =>
        TryGet<T>(key, out var ticket) ? Task.FromResult(ticket) : AddAsync(key, request, _pending.RunAsync, cancellationToken);

    /// <summary>Drops the ticket if it is still the one under the key: a KDC no longer takes it.</summary>
    public void Drop(TicketKey key, ICachedTicket ticket)
    {
        if (!_table.TryFind(key, out var entry))
            return;
        lock (entry)
        {
            if (!entry.IsRemoved && ReferenceEquals(entry.Ticket, ticket))
                _table.Remove(entry);
        }
    }

    /// <summary>Drops every entry that the predicate selects, the exchanges under way for them included. Gives the number of entries.</summary>
    public int Purge(Func<TicketKey, bool> selects)
    {
        ThrowIfDisposed();
        var dropped = 0;
        foreach (var entry in _table.Entries.Where(entry => selects(entry.Key)))
        {
            lock (entry)
            {
                if (entry.IsRemoved)
                    continue;
                if (entry.Ticket is not null || entry.Pending is not null)
                    dropped++;
                _table.Remove(entry);
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
        await _pending.DisposeAsync().ConfigureAwait(false);
        await _table.DisposeAsync().ConfigureAwait(false);
    }

    private void ThrowIfDisposed()
    {
        if (_disposed)
            throw Disposed();
    }

    private static ObjectDisposedException Disposed() => new(OwnerName);

    private async Task<T> AddAsync<T>(
        TicketKey key,
        Func<CancellationToken, Task<T>> request,
        Func<TicketEntry, PendingExchange, Func<CancellationToken, Task<T>>, Task<ExchangeOutcome>> fly,
        CancellationToken cancellationToken)
        where T : class, ICachedTicket
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ThrowIfDisposed();
            var entry = _table.FindOrAdd(key);
            PendingExchange pending;
            var isNew = false;
            lock (entry)
            {
                if (entry.IsRemoved)
                    continue;
                var now = _clock.Now;
                if (entry.Ticket is { } held && _table.IsUsable(held, now))
                {
                    // Good still, and due: renewed in the background while everybody goes on with what there is.
                    if (entry.IsDue(now) && entry.Pending is null)
                        _ = _pending.RunDetachedAsync(entry, entry.Pending = _pending.Begin(key), request);
                    entry.IsUsed = true;
                    _table.Metrics.Hit(key.Kind);
                    return (T)held;
                }
                if (entry.Refusal is { } refusal && now < refusal.Until)
                {
                    _table.Metrics.Refusal(key.Kind);
                    throw new KerberosException(refusal.Failure);
                }
                isNew = entry.Pending is null;
                pending = entry.Pending ??= _pending.Begin(key);
            }
            _table.Metrics.Miss(key.Kind);
            if (!isNew)
                _table.Metrics.Wait(key.Kind);
            var outcome = isNew ? fly(entry, pending, request).WaitAsync(cancellationToken) : pending.WaitAsync(cancellationToken);
            switch (await outcome.ConfigureAwait(false))
            {
                case ExchangeOutcome.Completed landed:
                    return (T)landed.Ticket;
                case ExchangeOutcome.Failed failed:
                    throw new KerberosException(failed.Failure, failed.Error);
                case ExchangeOutcome.Faulted { Error: ObjectDisposedException }:
                    throw new ObjectDisposedException(OwnerName);
                case ExchangeOutcome.Faulted faulted:
                    throw new InvalidOperationException("The exchange with the KDC failed; see the inner exception.", faulted.Error);
                default:
                    continue;
            }
        }
    }
}
