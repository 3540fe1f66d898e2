using System.Security.Cryptography;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos;

/// <summary>A user who presented their own ticket to the account. The ticket is the evidence for constrained delegation without protocol
/// transition. Immutable and thread-safe.</summary>
public sealed class AcceptedUser
{
    internal AcceptedUser(IssuedTicket evidence)
    {
        Evidence = evidence;
        Principal = evidence.ClientPrincipal;
        Origin = new EvidenceOrigin(Convert.ToHexString(SHA256.HashData(evidence.Ticket.Encoded.Span)));
    }

    /// <summary>Gets the client name and realm that the KDC put into the ticket.</summary>
    public KerberosPrincipal Principal { get; }

    /// <summary>Gets whether the ticket is forwardable. KDCs delegate forwardable tickets only.</summary>
    public bool CanBeDelegated => Evidence.IsForwardable;

    /// <summary>Gets the end of the ticket's validity, in UTC by the KDC's clock. No delegated ticket outlives it.</summary>
    public DateTimeOffset EndTime => Evidence.EndTime;

    internal IssuedTicket Evidence { get; }

    internal EvidenceOrigin Origin { get; }
}
