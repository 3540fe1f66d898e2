using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Pac;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>A decrypted ticket that is valid now.</summary>
internal sealed record OpenedTicket(Ticket Ticket, EncTicketPart Part)
{
    public ClientName Client { get; } = new(Part.Client, Part.ClientRealm);

    public PacIdentity? Pac { get; } = PrivilegeCertificate.Read(Part.AuthorizationData);

    public bool Forwardable => (Part.Flags & (uint)TicketFlags.Forwardable) != 0;

    /// <summary>Decrypts a ticket and checks its key version, integrity and times (RFC 4120 §3.2.3).</summary>
    public static OpenedTicket Open(Ticket ticket, KeyHistory keys, DateTimeOffset now)
    {
        var key = keys.Find(ticket.EncryptedPart.Type, ticket.EncryptedPart.KeyVersion)
            ?? throw new KdcRefusalException(KerberosErrorCode.BadKeyVersion);
        EncTicketPart part;
        try
        {
            part = EncTicketPart.Decode(ticket.EncryptedPart.Decrypt(key, KeyUsage.Ticket));
        }
        catch (KerberosException)
        {
            throw new KdcRefusalException(KerberosErrorCode.BadIntegrity);
        }
        if ((part.StartTime ?? part.AuthTime) > now + RealmState.MaxSkew)
            throw new KdcRefusalException(KerberosErrorCode.TicketNotYetValid);
        if (part.EndTime < now)
            throw new KdcRefusalException(KerberosErrorCode.TicketExpired);
        return new OpenedTicket(ticket, part);
    }
}
