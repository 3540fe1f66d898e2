using System.Diagnostics.CodeAnalysis;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>An entry of the cache: a ticket or a refusal, and possibly a pending exchange.</summary>
/// <remarks>Guarded by a lock on the entry itself, since there are many and no other code locks them. <see cref="TryUse"/>, the common
/// path, takes no lock.</remarks>
internal sealed class TicketEntry(TicketKey key)
{
    private ICachedTicket? _ticket;

    private List<WeakReference<ICachedTicket>>? _replaced;

    // UTC ticks from which the ticket is no longer returned without further checks; zero without a ticket.
    private long _refreshAt;

    // Whole seconds in four bytes, like the times below: with them, what a look-up reads still fits into one cache line.
    private uint _lastUse;

    /// <summary>A refusal of a KDC and the time until which it is repeated.</summary>
    public sealed record RememberedRefusal(KerberosFailure Failure, DateTimeOffset Until);

    public TicketKey Key { get; } = key;

    public ICachedTicket? Ticket => Volatile.Read(ref _ticket);

    /// <summary>Gets the time after which the ticket is not used, in UTC by the KDC's clock.</summary>
    public DateTimeOffset LastUse => DateTimeOffset.FromUnixTimeSeconds(_lastUse);

    /// <summary>Gets the time at which the ticket was received (<see cref="Time.KdcClock.MonotonicSeconds"/>).</summary>
    public uint ReceivedAt { get; private set; }

    /// <summary>Gets or sets the time of the last replacement that a refusal of the ticket caused
    /// (<see cref="Time.KdcClock.MonotonicSeconds"/>), or zero.</summary>
    public uint ReplacedAt { get; set; }

    public PendingExchange? Pending { get; set; }

    public RememberedRefusal? Refusal { get; set; }

    /// <summary>Gets or sets whether the entry was removed from the cache. Holders of the entry look the key up again.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>Gets or sets whether the entry is in the eviction queue.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Gets or sets whether the entry was used since its last turn in the eviction queue (second chance).</summary>
    public bool IsUsed { get; set; }

    /// <summary>Gets the ticket if there is one that is usable and not yet due for renewal. Takes no lock.</summary>
    public bool TryUse(DateTimeOffset now, [NotNullWhen(true)] out ICachedTicket? ticket)
    {
        // The time is read before the ticket and written after it, so no ticket is used by the time of a later one.
        var refreshAt = Volatile.Read(ref _refreshAt);
        ticket = Volatile.Read(ref _ticket);
        return now.UtcTicks < refreshAt && ticket is not null;
    }

    public bool IsDue(DateTimeOffset now) => now.UtcTicks >= Volatile.Read(ref _refreshAt);

    public bool IsUsable(DateTimeOffset now) => Ticket is not null && now <= LastUse;

    /// <summary>Stores a ticket.</summary>
    public void Store(ICachedTicket ticket, DateTimeOffset refreshAt, DateTimeOffset lastUse, uint receivedAt)
    {
        (_lastUse, ReceivedAt) = ((uint)lastUse.ToUnixTimeSeconds(), receivedAt);
        Volatile.Write(ref _ticket, ticket);
        RefreshAt(refreshAt);
    }

    public void RefreshAt(DateTimeOffset time) => Volatile.Write(ref _refreshAt, time.UtcTicks);

    /// <summary>Removes the ticket. Callers may still hold it, so the entry keeps a weak reference.</summary>
    public void Clear()
    {
        if (_ticket is { } replaced)
        {
            _replaced ??= [];
            _replaced.RemoveAll(static reference => !reference.TryGetTarget(out _));
            _replaced.Add(new WeakReference<ICachedTicket>(replaced));
        }
        Volatile.Write(ref _refreshAt, 0);
        Volatile.Write(ref _ticket, null);
    }

    /// <summary>Returns the ticket and the previous tickets that callers still hold.</summary>
    public IEnumerable<ICachedTicket> GetAllTickets()
    {
        if (_ticket is { } ticket)
            yield return ticket;
        foreach (var reference in _replaced ?? [])
        {
            if (reference.TryGetTarget(out var replaced))
                yield return replaced;
        }
    }
}
