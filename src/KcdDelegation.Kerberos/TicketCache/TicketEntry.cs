namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>What the cache holds under one key: a ticket, or a refusal, and perhaps an exchange under way. Guarded by its own lock,
/// but for <see cref="Current"/>, which the common path reads without one.</summary>
internal sealed class TicketEntry(TicketKey key)
{
    private volatile Holding? _current;

    /// <summary>A ticket with the time from which it is renewed. Immutable, so that it is read without a lock.</summary>
    public sealed record Holding(ICachedTicket Ticket, DateTimeOffset RefreshAt);

    public Lock Lock { get; } = new();

    public TicketKey Key { get; } = key;

    public Holding? Current
    {
        get => _current;
        set => _current = value;
    }

    public TicketFlight? Flight { get; set; }

    public KerberosFailure? Refusal { get; set; }

    public DateTimeOffset RefusalUntil { get; set; }

    /// <summary>Taken out of the cache: whoever still has the entry in hand looks the key up again.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>In the eviction queue already.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Used since the eviction hand last passed (second chance).</summary>
    public bool IsUsed { get; set; }
}
