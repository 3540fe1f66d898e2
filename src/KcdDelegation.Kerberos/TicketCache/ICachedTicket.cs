namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>A ticket in the cache.</summary>
internal interface ICachedTicket
{
    /// <summary>Gets the end of its validity, in UTC by the KDC's clock.</summary>
    DateTimeOffset EndTime { get; }

    /// <summary>Gets the length of the ticket in bytes.</summary>
    int Size { get; }

    /// <summary>Stops the creation of new headers: the ticket was purged or evicted. Callers may still hold it.</summary>
    void Retire();

    /// <summary>Zeroes the keys at once: the client is disposed.</summary>
    void Destroy();
}
