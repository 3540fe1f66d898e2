namespace KcdDelegation.Kerberos;

/// <summary>Bounds and times of a client's ticket cache.</summary>
public sealed class TicketCacheOptions
{
    /// <summary>Gets the largest number of tickets. The least used ones are evicted first. A user takes one entry for their evidence and
    /// one per application.</summary>
    public int MaxEntries { get; init; } = 100_000;

    /// <summary>Gets the largest total size of the tickets in bytes, including the overhead of their entries.</summary>
    public long MaxBytes { get; init; } = 256L << 20;

    /// <summary>Gets the remaining lifetime below which a ticket is no longer used. For a ticket that lives less than five times as long,
    /// it is a fifth of the ticket's lifetime.</summary>
    public TimeSpan MinimumRemainingLife { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets how long before its end a ticket in use is renewed, in the background. For a ticket of short life it is a fifth of the
    /// life.</summary>
    /// <remarks>A random fifth is added, so that users who arrived together are not renewed together.</remarks>
    public TimeSpan RefreshAhead { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Gets how long a KDC's refusal is repeated without asking again. Outages are never remembered.</summary>
    public TimeSpan RefusalLife { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets how long the evidence of a user (the S4U2Self ticket) is used. Then the KDC is asked for the user again.</summary>
    /// <remarks>KDCs do not always check the user again when they issue a ticket to a service. A user who was disabled or deleted gets
    /// tickets to further services for this time at most. It costs one S4U2Self exchange per active user and period. While no KDC answers,
    /// cached evidence serves for the rest of this time only.</remarks>
    public TimeSpan MaxEvidenceAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Gets how long a ticket to a service is used. Then a new one is requested.</summary>
    /// <remarks>A service accepts the ticket of a disabled user until the ticket ends. With <see cref="MaxEvidenceAge"/>, a disabled user
    /// is delegated for the sum of both times at most. It costs one S4U2Proxy exchange per active user, service and period. While no KDC
    /// answers, a cached ticket serves for the rest of this time only.</remarks>
    public TimeSpan MaxTicketAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Gets the largest number of concurrent exchanges with the KDCs of one realm. Each realm has its own limit, so a realm whose
    /// KDCs are silent delays no other.</summary>
    public int MaxConcurrentExchanges { get; init; } = 64;

    /// <summary>Gets the largest number of exchanges that wait for their realm's limit. Further ones fail at once as overloaded.</summary>
    public int MaxQueuedExchanges { get; init; } = 20_000;
}
