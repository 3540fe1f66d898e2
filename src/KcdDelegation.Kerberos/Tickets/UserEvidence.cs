using KcdDelegation.Kerberos.TicketCache;

namespace KcdDelegation.Kerberos.Tickets;

/// <summary>A ticket to the delegating account for a user: the evidence of an S4U2Proxy request.</summary>
/// <param name="Ticket">The ticket. Its client is the user.</param>
/// <param name="SecurityIdentifier">The SID of the account that the KDC found for the user, or null if the ticket has none.</param>
internal sealed record UserEvidence(IssuedTicket Ticket, string? SecurityIdentifier) : ICachedTicket
{
    public DateTimeOffset EndTime => Ticket.EndTime;

    public int Size => Ticket.Size;

    public void Retire() => Ticket.Retire();

    public void Destroy() => Ticket.Dispose();
}
