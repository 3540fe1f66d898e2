using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The realms that a chain of referrals has visited (RFC 6806 §8). A chain has at most ten hops and visits no realm
/// twice.</summary>
internal sealed class ReferralPath(string start)
{
    private const int MaxHops = 10;

    private readonly List<string> _realms = [start];

    /// <summary>Adds the realm of a referral ticket.</summary>
    /// <exception cref="KerberosException">The referrals form a loop, or have too many hops.</exception>
    public void Add(string realm)
    {
        if (_realms.Contains(realm, StringComparer.OrdinalIgnoreCase))
            throw Refused($"the referrals form a loop: {this}, {realm}");
        if (_realms.Count > MaxHops)
            throw Refused($"the referrals take more than {MaxHops} hops: {this}");
        _realms.Add(realm);
    }

    public override string ToString() => string.Join(", ", _realms);

    /// <summary>Checks that a reply is a referral: a ticket of the realm that was asked, for the ticket-granting service of
    /// another.</summary>
    /// <returns>The realm of that ticket-granting service.</returns>
    public static string RequireReferral(TgsReply reply, string askedRealm)
    {
        var part = reply.Part;
        if (part.Service.TicketGrantingRealm is not { Length: > 0 } next || !ReplyChecks.SameRealm(part.ServiceRealm, askedRealm))
        {
            throw KerberosException.Rejected($"the ticket is for {part.Service}@{part.ServiceRealm}, which is neither the requested "
                + $"service nor a referral of {askedRealm}");
        }
        if (ReplyChecks.NamesRealm(next, askedRealm))
            throw KerberosException.Rejected($"the KDC of {askedRealm} refers to its own realm");
        return next;
    }

    /// <summary>Checks that the client of a referral ticket is the requesting account in its own realm (RFC 4120 §3.3.4).</summary>
    public static void RequireClient(TgsReply reply, IssuedTicket own)
    {
        if (reply.Message.Client != own.Client || !ReplyChecks.SameRealm(reply.Message.ClientRealm, own.ClientRealm))
        {
            throw KerberosException.Rejected($"the referral names {reply.Message.Client}@{reply.Message.ClientRealm}, not the account "
                + $"{own.Client}@{own.ClientRealm}");
        }
    }

    /// <summary>Checks that a reply of resource-based delegation shows the KDC's support of it (MS-SFU §3.2.5.2.3).</summary>
    public static void RequireResourceBasedDelegation(TgsReply reply)
    {
        if (reply.Part.EncryptedPaData.Find(PaDataType.PacOptions) is not { } options
            || (PaPacOptions.Decode(options) & PaPacOptions.ResourceBasedDelegation) == 0)
            throw KerberosException.Rejected("the reply does not show that the KDC supports resource-based delegation");
    }

    private static KerberosException Refused(string detail) =>
        new(new KerberosFailure { Exchange = KerberosExchange.Referral, Reason = KerberosFailureReason.ReplyRejected, Detail = detail });
}
