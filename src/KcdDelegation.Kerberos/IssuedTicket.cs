using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.TicketCache;

namespace KcdDelegation.Kerberos;

/// <summary>A ticket as a KDC issued it to this client, after every check: the ticket's bytes, its session key, and what the encrypted
/// part of the reply says. Immutable but for the session key, which is zeroed on <see cref="Dispose"/>.</summary>
internal sealed class IssuedTicket : ICachedTicket
{
    public required PrincipalName Client { get; init; }
    public required string ClientRealm { get; init; }
    public required PrincipalName Service { get; init; }
    public required string ServiceRealm { get; init; }
    public required Ticket Ticket { get; init; }
    public required KerberosKey SessionKey { get; init; }
    public required TicketFlags Flags { get; init; }
    public required DateTimeOffset AuthTime { get; init; }
    public required DateTimeOffset StartTime { get; init; }
    public required DateTimeOffset EndTime { get; init; }
    public DateTimeOffset? RenewTill { get; init; }

    public bool IsForwardable => Flags.HasFlag(TicketFlags.Forwardable);

    public int Size => Ticket.Encoded.Length;

    /// <summary>The client as a principal. RFC 4120 §6.2: the type is a hint, but an enterprise name must not be split again.</summary>
    public KerberosPrincipal ClientPrincipal => Client.Type == (int)PrincipalNameType.Enterprise
        ? KerberosPrincipal.Enterprise(Client.ToString(), ClientRealm)
        : KerberosPrincipal.Principal(Client.ToString(), ClientRealm);

    /// <summary>A ticket of this kind makes no headers, so there is nothing to stop but its use in the cache.</summary>
    public void Retire()
    {
    }

    public void Dispose() => SessionKey.Dispose();
}
