namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>What the cache needs to know of what it holds.</summary>
internal interface ICachedTicket
{
    /// <summary>UTC, by the KDC's clock.</summary>
    DateTimeOffset EndTime { get; }

    /// <summary>Bytes of the ticket.</summary>
    int Size { get; }

    /// <summary>Purged or evicted: nothing new is made from it, though callers may still hold it.</summary>
    void Retire();

    /// <summary>The client is disposed: the keys are zeroed at once.</summary>
    void Destroy();
}
