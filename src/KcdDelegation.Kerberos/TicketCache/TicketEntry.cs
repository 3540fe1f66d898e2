namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>What the cache holds under one key: a ticket, or a refusal, and perhaps an exchange under way. Guarded by a lock on
/// itself (it is no one else's to lock, and there are many), but for <see cref="Current"/>, which the common path reads without one.</summary>
internal sealed class TicketEntry(TicketKey key)
{
    private volatile Holding? _current;

    /// <summary>A ticket with the time from which it is not simply handed out any more. Immutable, so that it is read without a lock.</summary>
    public sealed record Holding(ICachedTicket Ticket, DateTimeOffset RefreshAt);

    /// <summary>What a KDC refused, and how long that is believed.</summary>
    public sealed record RememberedRefusal(KerberosFailure Failure, DateTimeOffset Until);

    public TicketKey Key { get; } = key;

    public Holding? Current
    {
        get => _current;
        set => _current = value;
    }

    public TicketFlight? Flight { get; set; }

    public RememberedRefusal? Refusal { get; set; }

    /// <summary>Taken out of the cache: whoever still has the entry in hand looks the key up again.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>In the eviction queue already.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Used since the eviction hand last passed (second chance).</summary>
    public bool IsUsed { get; set; }
}
