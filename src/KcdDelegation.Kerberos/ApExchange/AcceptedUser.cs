using System.Security.Cryptography;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos;

/// <summary>A user known by a ticket of his own, which he presented to the account, and the evidence for constrained delegation without
/// protocol transition. Immutable, thread-safe.</summary>
public sealed class AcceptedUser
{
    internal AcceptedUser(IssuedTicket evidence)
    {
        Evidence = evidence;
        Principal = evidence.ClientPrincipal;
        Origin = new EvidenceOrigin(Convert.ToHexString(SHA256.HashData(evidence.Ticket.Encoded.Span)));
    }

    /// <summary>Client name and realm, as the KDC put them into the ticket.</summary>
    public KerberosPrincipal Principal { get; }

    /// <summary>Whether the ticket is forwardable, without which no KDC delegates.</summary>
    public bool CanBeDelegated => Evidence.IsForwardable;

    /// <summary>Until when the ticket is valid, UTC by the KDC's clock; no delegated ticket lives longer.</summary>
    public DateTimeOffset EndTime => Evidence.EndTime;

    internal IssuedTicket Evidence { get; }

    internal EvidenceOrigin Origin { get; }
}
