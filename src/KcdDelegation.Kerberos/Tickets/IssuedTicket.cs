using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.TicketCache;

namespace KcdDelegation.Kerberos.Tickets;

/// <summary>A ticket that a KDC issued to this client, after all checks: its bytes, its session key and the encrypted part of the reply.
/// Immutable except for the session key, which <see cref="Dispose"/> zeroes.</summary>
internal sealed class IssuedTicket : ICachedTicket, IDisposable
{
    // RFC 4120 §5.2.3: KerberosTime has whole seconds. A cache holds many tickets, and DateTimeOffset takes twice the memory.
    private readonly long _authTime;
    private readonly long _startTime;
    private readonly long _endTime;
    private readonly long _renewTill;

    public required PrincipalName Client { get; init; }
    public required string ClientRealm { get; init; }

    /// <summary>Gets the ticket. Its names agree with the encrypted part of the reply.</summary>
    public required Ticket Ticket { get; init; }
    public required KerberosKey SessionKey { get; init; }
    public required TicketFlags Flags { get; init; }
    public required DateTimeOffset AuthTime { get => ToTime(_authTime); init => _authTime = value.ToUnixTimeSeconds(); }
    public required DateTimeOffset StartTime { get => ToTime(_startTime); init => _startTime = value.ToUnixTimeSeconds(); }
    public required DateTimeOffset EndTime { get => ToTime(_endTime); init => _endTime = value.ToUnixTimeSeconds(); }

    public DateTimeOffset? RenewTill
    {
        get => _renewTill == 0 ? null : ToTime(_renewTill);
        init => _renewTill = value?.ToUnixTimeSeconds() ?? 0;
    }

    /// <summary>Gets <see cref="EndTime"/> in a form that is cheap to compare on each request.</summary>
    public long EndSeconds => _endTime;

    public PrincipalName Service => Ticket.Service;

    public string ServiceRealm => Ticket.Realm;

    public bool IsForwardable => Flags.HasFlag(TicketFlags.Forwardable);

    public int Size => Ticket.Encoded.Length;

    /// <summary>Gets the client as a principal. RFC 4120 §6.2: the name type is a hint, but an enterprise name is never split.</summary>
    /// <exception cref="KerberosException">No principal may have the name.</exception>
    public KerberosPrincipal ClientPrincipal => Client.ToPrincipal(ClientRealm);

    /// <summary>Does nothing: no headers are created from a ticket of this kind.</summary>
    public void Retire()
    {
    }

    public void Destroy() => Dispose();

    public void Dispose() => SessionKey.Dispose();

    private static DateTimeOffset ToTime(long unixSeconds) => DateTimeOffset.FromUnixTimeSeconds(unixSeconds);
}
