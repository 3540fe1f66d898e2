using System.Diagnostics.CodeAnalysis;
using KcdDelegation.Kerberos.Time;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The tickets of one client. One exchange runs per key, however many callers wait for it. Thread-safe; a hit takes no
/// lock.</summary>
internal sealed class TicketStore : IAsyncDisposable
{
    /// <summary>The public owner of the store, for <see cref="ObjectDisposedException"/>.</summary>
    public const string OwnerName = "S4UClient";

    /// <summary>The shortest time between two replacements of one entry.</summary>
    public static readonly TimeSpan ReplacementInterval = TimeSpan.FromMinutes(1);

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

    /// <summary>Gets a ticket that is usable and not yet due for renewal. This is the common path.</summary>
    public bool TryGet<T>(TicketKey key, [NotNullWhen(true)] out T? ticket)
        where T : class, ICachedTicket
    {
        ticket = null;
        ThrowIfDisposed();
        if (!_table.Entries.TryGetValue(key, out var entry) || !entry.TryUse(_clock.Now, out var held))
            return false;
        // Written only when it changes, so that hits of many threads on one user do not contend for a cache line.
        if (!entry.IsUsed)
            entry.IsUsed = true;
        _table.Metrics.Hit(key.Kind);
        ticket = (T)held;
        return true;
    }

    /// <summary>Returns the ticket of a key from the cache, or requests it.</summary>
    /// <exception cref="KerberosException">The exchange failed, or a KDC's refusal is remembered.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled. The exchange continues for other callers.</exception>
    public Task<T> GetOrAddAsync<T>(TicketKey key, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
        where T : class, ICachedTicket =>
        TryGet<T>(key, out var ticket) ? Task.FromResult(ticket) : AddAsync(key, request, isNested: false, cancellationToken);

    /// <summary>Gets or requests a ticket from inside another exchange of this cache. Runs inline instead of on the thread pool.</summary>
    /// <remarks>Other callers may wait for the exchange too. It continues when this caller's time is over.</remarks>
    public Task<T> GetOrAddNestedAsync<T>(TicketKey key, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
        where T : class, ICachedTicket =>
        TryGet<T>(key, out var ticket) ? Task.FromResult(ticket) : AddAsync(key, request, isNested: true, cancellationToken);

    /// <summary>Returns another ticket than the refused one: the current one if it differs, or a new one. Returns null if the entry was
    /// replaced less than <see cref="ReplacementInterval"/> ago.</summary>
    /// <remarks>The refused ticket stays in the cache until its successor arrives. Refusals are rarely authenticated, so a forged one must
    /// not remove a good ticket.</remarks>
    /// <param name="key">The key of the ticket.</param>
    /// <param name="refused">The ticket that a KDC or service refused.</param>
    /// <param name="request">Requests a new ticket.</param>
    /// <param name="isNested">Whether the caller is inside another exchange of this cache.</param>
    /// <param name="cancellationToken">Cancels this wait.</param>
    /// <exception cref="KerberosException">The exchange failed.</exception>
    public async Task<T?> ReplaceAsync<T>(
        TicketKey key, T refused, Func<CancellationToken, Task<T>> request, bool isNested, CancellationToken cancellationToken)
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
                if (!ReferenceEquals(entry.Ticket, refused) && entry.IsUsable(_clock.Now))
                    return (T)entry.Ticket!;
                if (entry.Refusal is { } refusal && _clock.Now < refusal.Until)
                    throw new KerberosException(refusal.Failure);
                if (entry.Pending is null)
                {
                    var now = _clock.MonotonicSeconds;
                    if (entry.ReplacedAt is not 0 and var last && now - last < ReplacementInterval.TotalSeconds)
                        return null;
                    entry.ReplacedAt = now;
                    entry.Pending = _pending.Start(key, isAwaited: true);
                    isNew = true;
                }
                pending = entry.Pending;
            }
            if (await WaitAsync(entry, pending, isNew, request, isNested, cancellationToken).ConfigureAwait(false) is { } ticket)
                return ticket;
        }
    }

    /// <summary>Removes the ticket if it is still the current one of the key.</summary>
    public void Drop(TicketKey key, ICachedTicket ticket)
    {
        if (!_table.Entries.TryGetValue(key, out var entry))
            return;
        lock (entry)
        {
            if (!entry.IsRemoved && ReferenceEquals(entry.Ticket, ticket))
                _table.Remove(entry);
        }
    }

    /// <summary>Removes every entry that the predicate selects, including their pending exchanges.</summary>
    /// <returns>The number of removed entries.</returns>
    public int Purge(Func<TicketKey, bool> selects)
    {
        ThrowIfDisposed();
        var dropped = 0;
        foreach (var entry in _table.Entries.Values.Where(entry => selects(entry.Key)))
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

    /// <summary>Waits for the running exchanges, then zeroes all keys.</summary>
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
        TicketKey key, Func<CancellationToken, Task<T>> request, bool isNested, CancellationToken cancellationToken)
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
                if (entry.IsUsable(now))
                {
                    // Usable but due: renewed in the background while callers continue with it.
                    if (entry.IsDue(now) && entry.Pending is null)
                        _ = _pending.RunDetachedAsync(entry, entry.Pending = _pending.Start(key, isAwaited: false), request);
                    entry.IsUsed = true;
                    _table.Metrics.Hit(key.Kind);
                    return (T)entry.Ticket!;
                }
                if (entry.Refusal is { } refusal && now < refusal.Until)
                {
                    _table.Metrics.Refusal(key.Kind);
                    throw new KerberosException(refusal.Failure);
                }
                isNew = entry.Pending is null;
                pending = entry.Pending ??= _pending.Start(key, isAwaited: true);
            }
            _table.Metrics.Miss(key.Kind);
            if (!isNew)
                _table.Metrics.Wait(key.Kind);
            if (await WaitAsync(entry, pending, isNew, request, isNested, cancellationToken).ConfigureAwait(false) is { } ticket)
                return ticket;
        }
    }

    /// <summary>Runs a new exchange, or waits for the one that another caller runs. Returns null if the entry was purged
    /// meanwhile.</summary>
    private async Task<T?> WaitAsync<T>(
        TicketEntry entry,
        PendingExchange pending,
        bool isNew,
        Func<CancellationToken, Task<T>> request,
        bool isNested,
        CancellationToken cancellationToken)
        where T : class, ICachedTicket
    {
        var outcome = !isNew ? pending.WaitAsync(cancellationToken)
            : isNested ? _pending.RunAsync(entry, pending, request).WaitAsync(cancellationToken)
            : _pending.RunDetachedAsync(entry, pending, request).WaitAsync(cancellationToken);
        return await outcome.ConfigureAwait(false) switch
        {
            ExchangeOutcome.Completed completed => (T)completed.Ticket,
            ExchangeOutcome.Failed failed => throw new KerberosException(failed.Failure, failed.Cause),
            ExchangeOutcome.Faulted { Error: ObjectDisposedException } => throw new ObjectDisposedException(OwnerName),
            ExchangeOutcome.Faulted faulted =>
                throw new InvalidOperationException("The exchange with the KDC failed; see the inner exception.", faulted.Error),
            // The outer exchange ends too. Its callers, if any still wait, request again; nothing is stored for callers who left.
            ExchangeOutcome.Purged when isNested => throw new ExchangePurgedException(),
            _ => null,
        };
    }
}
