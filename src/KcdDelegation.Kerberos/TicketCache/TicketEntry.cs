using System.Diagnostics.CodeAnalysis;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>What the cache holds under one key: a ticket, or a refusal, and perhaps an exchange under way. Guarded by a lock on
/// itself (it is no one else's to lock, and there are many), but for <see cref="TryUse"/>, the common path, which takes none.</summary>
internal sealed class TicketEntry(TicketKey key)
{
    private ICachedTicket? _ticket;

    private List<WeakReference<ICachedTicket>>? _replaced;

    // UTC ticks from which the ticket is not simply handed out any more; nought without a ticket.
    private long _refreshAt;

    /// <summary>What a KDC refused, and how long that is believed.</summary>
    public sealed record RememberedRefusal(KerberosFailure Failure, DateTimeOffset Until);

    public TicketKey Key { get; } = key;

    public ICachedTicket? Ticket => Volatile.Read(ref _ticket);

    /// <summary>The ticket, if there is one that is good and not yet due for renewal. Takes no lock.</summary>
    public bool TryUse(DateTimeOffset now, [NotNullWhen(true)] out ICachedTicket? ticket)
    {
        // The time is read before the ticket, and written after it: no ticket is used by the time of a later one.
        var refreshAt = Volatile.Read(ref _refreshAt);
        ticket = Volatile.Read(ref _ticket);
        return now.UtcTicks < refreshAt && ticket is not null;
    }

    public bool IsDue(DateTimeOffset now) => now.UtcTicks >= Volatile.Read(ref _refreshAt);

    /// <summary>In the place of the one that was there, which somebody may still have in hand.</summary>
    public void Put(ICachedTicket ticket, DateTimeOffset refreshAt)
    {
        Volatile.Write(ref _ticket, ticket);
        RefreshAt(refreshAt);
    }

    public void RefreshAt(DateTimeOffset time) => Volatile.Write(ref _refreshAt, time.UtcTicks);

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

    /// <summary>The ticket, and those that were here before it and that somebody still has in hand.</summary>
    public IEnumerable<ICachedTicket> EveryTicket()
    {
        if (_ticket is { } ticket)
            yield return ticket;
        foreach (var reference in _replaced ?? [])
        {
            if (reference.TryGetTarget(out var replaced))
                yield return replaced;
        }
    }

    public PendingExchange? Pending { get; set; }

    public RememberedRefusal? Refusal { get; set; }

    /// <summary>Taken out of the cache: whoever still has the entry in hand looks the key up again.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>In the eviction queue already.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Used since the eviction hand last passed (second chance).</summary>
    public bool IsUsed { get; set; }
}
