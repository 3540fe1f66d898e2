using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.TicketCache;

namespace KcdDelegation.Kerberos.Tickets;

/// <summary>A ticket as a KDC issued it to this client, after every check: the ticket's bytes, its session key, and what the encrypted
/// part of the reply says. Immutable but for the session key, which is zeroed on <see cref="Dispose"/>.</summary>
internal sealed class IssuedTicket : ICachedTicket, IDisposable
{
    // RFC 4120 §5.2.3: KerberosTime has whole seconds. A cache holds many of these, and DateTimeOffset takes twice the space.
    private readonly long _authTime;
    private readonly long _startTime;
    private readonly long _endTime;
    private readonly long _renewTill;

    public required PrincipalName Client { get; init; }
    public required string ClientRealm { get; init; }

    /// <summary>Its names were held against the encrypted part of the reply.</summary>
    public required Ticket Ticket { get; init; }
    public required KerberosKey SessionKey { get; init; }
    public required TicketFlags Flags { get; init; }
    public required DateTimeOffset AuthTime { get => Time(_authTime); init => _authTime = value.ToUnixTimeSeconds(); }
    public required DateTimeOffset StartTime { get => Time(_startTime); init => _startTime = value.ToUnixTimeSeconds(); }
    public required DateTimeOffset EndTime { get => Time(_endTime); init => _endTime = value.ToUnixTimeSeconds(); }
    public DateTimeOffset? RenewTill { get => _renewTill == 0 ? null : Time(_renewTill); init => _renewTill = value?.ToUnixTimeSeconds() ?? 0; }

    /// <summary><see cref="EndTime"/> for who compares it at every request.</summary>
    public long EndSeconds => _endTime;

    public PrincipalName Service => Ticket.Service;

    public string ServiceRealm => Ticket.Realm;

    public bool IsForwardable => Flags.HasFlag(TicketFlags.Forwardable);

    public int Size => Ticket.Encoded.Length;

    /// <summary>The client as a principal. RFC 4120 §6.2: the type is a hint, but an enterprise name must not be split again.</summary>
    public KerberosPrincipal ClientPrincipal => Client.ToPrincipal(ClientRealm);

    /// <summary>A ticket of this kind makes no headers, so there is nothing to stop but its use in the cache.</summary>
    public void Retire()
    {
    }

    public void Destroy() => Dispose();

    public void Dispose() => SessionKey.Dispose();

    private static DateTimeOffset Time(long unixSeconds) => DateTimeOffset.FromUnixTimeSeconds(unixSeconds);
}
