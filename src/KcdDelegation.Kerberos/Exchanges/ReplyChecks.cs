using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>What every reply is checked for against its request before it is believed (RFC 4120 §3.1.5, §3.3.4).</summary>
internal static class ReplyChecks
{
    public static EncKdcReplyPart Open(KdcReplyMessage reply, KerberosKey key, KeyUsage usage, KdcRequestBody request, DateTimeOffset now)
    {
        var plaintext = reply.EncryptedPart.Decrypt(key, usage);
        EncKdcReplyPart part;
        try
        {
            part = EncKdcReplyPart.Decode(reply.Type, plaintext);
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(plaintext);
        }
        // RFC 4120 §3.1.5: "the nonce must match"; it is what ties the reply to this very request.
        if (part.Nonce != request.Nonce)
            throw KerberosException.Rejected("the reply has another nonce than the request: it answers another request");
        // §3.3.4: the ticket stands outside the encryption, so its name is compared with the encrypted one.
        if (part.Service != reply.Ticket.Service || !SameRealm(part.ServiceRealm, reply.Ticket.Realm))
            throw KerberosException.Rejected($"the reply is for {part.Service}@{part.ServiceRealm}, but the ticket in it for {reply.Ticket.Service}@{reply.Ticket.Realm}");
        if (!request.EncryptionTypes.Contains(part.Key.Type))
            throw KerberosException.Rejected($"the session key is of type {part.Key.Type}, which was not offered");
        CheckTimes(part, request, now);
        return part;
    }

    private static void CheckTimes(EncKdcReplyPart part, KdcRequestBody request, DateTimeOffset now)
    {
        var start = part.StartTime ?? part.AuthTime;
        if (start > now + ExchangeContext.AllowedSkew)
            throw KerberosException.Rejected($"the ticket starts at {start:u}, which is in the future");
        if (part.EndTime <= now - ExchangeContext.AllowedSkew || part.EndTime <= start)
            throw KerberosException.Rejected($"the ticket ended at {part.EndTime:u}");
        // §3.3.4: no later than asked; a second is lost where the request's time was cut to whole seconds.
        if (part.EndTime > request.Till.AddSeconds(1))
            throw KerberosException.Rejected($"the ticket ends at {part.EndTime:u}, later than asked");
    }

    /// <summary>What is kept of a reply that was checked, the ticket's names against the encrypted ones too.</summary>
    public static IssuedTicket ToTicket(KdcReplyMessage reply, EncKdcReplyPart part) => new()
    {
        Client = reply.Client,
        ClientRealm = SharedNames.Share(reply.ClientRealm),
        Ticket = reply.Ticket with { Service = SharedNames.Share(part.Service), Realm = SharedNames.Share(part.ServiceRealm) },
        SessionKey = part.Key,
        Flags = (TicketFlags)part.Flags,
        AuthTime = part.AuthTime,
        StartTime = part.StartTime ?? part.AuthTime,
        EndTime = part.EndTime,
        RenewTill = part.RenewTill,
    };

    /// <summary>RFC 4120 §6.1: realm names are case-sensitive; what a KDC sends beside each other must agree to the letter.</summary>
    public static bool SameRealm(string left, string right) => string.Equals(left, right, StringComparison.Ordinal);
}
