using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Checks of every reply against its request (RFC 4120 §3.1.5, §3.3.4).</summary>
/// <remarks>A check throws <see cref="KerberosFailureReason.ReplyRejected"/> if the KDC is at fault: another KDC is asked. It throws
/// <see cref="KerberosFailureReason.NameMismatch"/> if an authenticated reply shows that a configured name is wrong: every KDC would answer
/// the same.</remarks>
internal static class ReplyChecks
{
    /// <summary>Decrypts a reply. <see cref="CheckPart"/> performs the common checks.</summary>
    /// <exception cref="KerberosException">The key does not decrypt the reply, or the plaintext is malformed.</exception>
    public static EncKdcReplyPart Decrypt(KdcReplyMessage reply, KerberosKey key, KeyUsage usage)
    {
        var plaintext = reply.EncryptedPart.Decrypt(key, usage);
        try
        {
            return EncKdcReplyPart.Decode(reply.Type, plaintext);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
        }
    }

    /// <summary>Checks the encrypted part against the request and the unencrypted ticket.</summary>
    public static void CheckPart(EncKdcReplyPart part, KdcReplyMessage reply, KdcRequestBody request, DateTimeOffset now)
    {
        // RFC 4120 §3.1.5: "the nonce must match". Only the nonce ties the reply to this request.
        if (part.Nonce != request.Nonce)
            throw KerberosException.Rejected("the nonce of the reply differs from the request's: it answers another request");
        // §3.3.4: the ticket is outside the encryption, so its name is compared with the encrypted one.
        if (part.Service != reply.Ticket.Service || !SameRealm(part.ServiceRealm, reply.Ticket.Realm))
        {
            throw KerberosException.Rejected($"the reply is for {part.Service}@{part.ServiceRealm}, but its ticket is for "
                + $"{reply.Ticket.Service}@{reply.Ticket.Realm}");
        }
        if (!request.EncryptionTypes.Contains(part.Key.Type))
            throw KerberosException.Rejected($"the session key is of type {part.Key.Type}, which was not offered");
        CheckTimes(part, request, now);
    }

    /// <summary>Checks that an AS reply is for the ticket-granting service of the configured realm.</summary>
    /// <remarks>RFC 6806 §7: with canonicalize the KDC may return its own spelling of realm and account, but no other service.</remarks>
    /// <exception cref="KerberosException">The reply is for another service, or the configured realm is not the KDC's
    /// (<see cref="KerberosFailureReason.NameMismatch"/>).</exception>
    public static void CheckTicketGrantingTicket(KdcReplyMessage reply, EncKdcReplyPart part, string configuredRealm)
    {
        if (part.Service.TicketGrantingRealm is not { Length: > 0 } realm || !SameRealm(realm, part.ServiceRealm)
            || (!NamesRealm(configuredRealm, realm) && configuredRealm.Contains('.', StringComparison.Ordinal)))
        {
            throw KerberosException.Rejected($"the ticket is for {part.Service}@{part.ServiceRealm}, not for the ticket-granting service "
                + $"of {configuredRealm}");
        }
        if (!SameRealm(reply.ClientRealm, part.ServiceRealm))
        {
            throw KerberosException.Rejected($"the reply names the account {reply.Client}@{reply.ClientRealm}, whose realm is not "
                + $"{part.ServiceRealm}");
        }
        // Active Directory answers to the NetBIOS name of the domain too, which has no dot.
        if (!NamesRealm(configuredRealm, part.ServiceRealm))
        {
            var realmOfKdc = part.ServiceRealm;
            throw NameMismatch($"the KDC's realm is {realmOfKdc}, but Realm is '{configuredRealm}'; set Realm to {realmOfKdc}");
        }
    }

    /// <summary>Checks that an AS reply is for the requested service of the configured realm, which is not the ticket-granting
    /// service.</summary>
    public static void CheckInitialTicket(
        KdcReplyMessage reply, EncKdcReplyPart part, PrincipalName service, string configuredRealm)
    {
        if (part.Service != service || !NamesRealm(configuredRealm, part.ServiceRealm))
        {
            throw KerberosException.Rejected(
                $"the ticket is for {part.Service}@{part.ServiceRealm}, not for {service}@{configuredRealm}");
        }
        if (!SameRealm(reply.ClientRealm, part.ServiceRealm))
        {
            throw KerberosException.Rejected($"the reply names the account {reply.Client}@{reply.ClientRealm}, whose realm is not "
                + $"{part.ServiceRealm}");
        }
    }

    /// <summary>Creates the ticket of a reply that passed its checks.</summary>
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

    /// <summary>Returns whether two realms of one KDC's messages are equal. RFC 4120 §6.1: realm names are case-sensitive.</summary>
    public static bool SameRealm(string left, string right) => string.Equals(left, right, StringComparison.Ordinal);

    /// <summary>Returns whether a configured realm names the realm of a KDC. Active Directory ignores the case of ASCII letters.</summary>
    public static bool NamesRealm(string configured, string realm) =>
        SameRealm(configured, realm) || Ascii.EqualsIgnoreCase(configured, realm);

    /// <summary>Creates the failure of a request whose configured name is not the one that the KDC uses.</summary>
    public static KerberosException NameMismatch(FailureDetail detail) =>
        new(new KerberosFailure { Reason = KerberosFailureReason.NameMismatch, Detail = detail.ToString() });

    private static void CheckTimes(EncKdcReplyPart part, KdcRequestBody request, DateTimeOffset now)
    {
        var start = part.StartTime ?? part.AuthTime;
        if (start > now + ExchangeContext.AllowedSkew)
            throw KerberosException.Rejected($"the ticket starts at {start:u}, which is in the future");
        if (part.EndTime <= now - ExchangeContext.AllowedSkew || part.EndTime <= start)
            throw KerberosException.Rejected($"the ticket ended at {part.EndTime:u}");
        // §3.3.4: no later than requested. One second is lost where the request's time was cut to whole seconds.
        if (part.EndTime > request.Till.AddSeconds(1))
            throw KerberosException.Rejected($"the ticket ends at {part.EndTime:u}, later than requested");
    }
}
