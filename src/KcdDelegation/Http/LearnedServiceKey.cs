using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Http;

/// <summary>The type and version of the service's key, as the newest ticket shows them. Thread-safe.</summary>
/// <remarks>Some servers answer 403 without a challenge to a ticket that they cannot decrypt, which an application also answers to a user
/// without a right. A ticket under another key than the newest one distinguishes the two.</remarks>
internal sealed class LearnedServiceKey(TimeProvider time)
{
    private readonly IntervalLimit _checks = new(time, TimeSpan.FromMinutes(1));
    private volatile Key? _newest;

    /// <summary>Describes the key of a ticket for messages.</summary>
    public static string Describe(ServiceTicket ticket) =>
        EncryptionTypeNames.Get((int)ticket.TicketEncryptionType)
        + (ticket.TicketKeyVersion is { } version ? $", key version {version}" : ", no key version");

    /// <summary>Determines whether two tickets are encrypted with the same key.</summary>
    public static bool IsSame(ServiceTicket left, ServiceTicket right) => Key.From(left) == Key.From(right);

    /// <summary>Stores the key of a ticket that a KDC has just issued.</summary>
    public void Record(ServiceTicket newest)
    {
        var key = Key.From(newest);
        if (_newest != key)
            _newest = key;
    }

    /// <summary>Determines whether the ticket is encrypted with another key than the newest one.</summary>
    public bool IsOutdated(ServiceTicket ticket) => _newest is { } newest && newest != Key.From(ticket);

    /// <summary>Returns whether a new ticket may be requested to learn whether the key has changed: once a minute for all users.</summary>
    public bool TryBeginCheck() => _checks.TryBegin();

    private sealed record Key(EncryptionType Type, uint? Version)
    {
        public static Key From(ServiceTicket ticket) => new(ticket.TicketEncryptionType, ticket.TicketKeyVersion);
    }
}
