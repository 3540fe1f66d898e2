namespace KcdDelegation.Kerberos;

/// <summary>Bounds and times of a client's ticket cache.</summary>
public sealed class TicketCacheOptions
{
    /// <summary>Tickets kept at most; the least used go first. A user takes one entry for his evidence and one for each application.</summary>
    public int MaxEntries { get; init; } = 100_000;

    /// <summary>Bytes of tickets kept at most, with what an entry costs beside its ticket.</summary>
    public long MaxBytes { get; init; } = 256L << 20;

    /// <summary>A ticket that ends sooner than this is not used any more.</summary>
    public TimeSpan MinimumRemainingLife { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A ticket in use is renewed this long before its end, in the background, with a jitter of a fifth so that the users of a
    /// Monday morning do not come back together; of a ticket of short life, in its last fifth.</summary>
    public TimeSpan RefreshAhead { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a KDC's refusal is remembered and repeated without asking. Outages are never remembered.</summary>
    public TimeSpan RefusalLife { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Exchanges under way at once with the KDCs of one realm. Each realm has its own: one whose KDCs are silent holds up
    /// no other.</summary>
    public int MaxConcurrentExchanges { get; init; } = 64;

    /// <summary>Exchanges with one realm that may wait for their turn; one more fails at once as overloaded.</summary>
    public int MaxQueuedExchanges { get; init; } = 20_000;
}
