using KcdDelegation.Kerberos.TicketCache;

namespace KcdDelegation.Kerberos.Tickets;

/// <summary>A ticket to the delegating account in a user's name: what S4U2Proxy is asked with.</summary>
/// <param name="Ticket">As the KDC issued it; its client is the user.</param>
/// <param name="SecurityIdentifier">Of the account that the KDC found for the user; null if the ticket does not say.</param>
internal sealed record UserEvidence(IssuedTicket Ticket, string? SecurityIdentifier) : ICachedTicket
{
    public DateTimeOffset EndTime => Ticket.EndTime;

    public int Size => Ticket.Size;

    public void Retire() => Ticket.Retire();

    public void Destroy() => Ticket.Dispose();
}
