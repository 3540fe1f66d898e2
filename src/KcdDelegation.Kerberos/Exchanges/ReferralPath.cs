using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The realms that a chain of referrals has been through: it ends after ten, and never comes to a realm twice (RFC 6806 §8).</summary>
internal sealed class ReferralPath(string start)
{
    private const int MaxHops = 10;

    private readonly List<string> _realms = [start];

    /// <summary>The realm that a referral ticket leads to.</summary>
    /// <exception cref="KerberosException">A loop, or too many hops.</exception>
    public void Enter(string realm)
    {
        if (_realms.Contains(realm, StringComparer.OrdinalIgnoreCase))
            throw Refused($"the referrals turn in a circle: {this}, {realm}");
        if (_realms.Count > MaxHops)
            throw Refused($"the referrals take more than {MaxHops} hops: {this}");
        _realms.Add(realm);
    }

    private static KerberosException Refused(string detail) =>
        new(new KerberosFailure { Exchange = KerberosExchange.Referral, Reason = KerberosFailureReason.ReplyRejected, Detail = detail });

    public override string ToString() => string.Join(", ", _realms);

    /// <summary>A referral is a ticket of the realm that was asked, for the ticket-granting service of another one.</summary>
    /// <returns>The realm that it leads to.</returns>
    public static string RequireReferral(TgsReply reply, string askedRealm)
    {
        var (_, part, _) = reply;
        if (part.Service.TicketGrantingRealm is not { } next || !ReplyChecks.SameRealm(part.ServiceRealm, askedRealm))
            throw KerberosException.Rejected($"the ticket is for {part.Service}@{part.ServiceRealm}, which is neither what was asked for nor a referral of {askedRealm}");
        return next;
    }

    /// <summary>RFC 4120 §3.3.4: the client of a referral ticket is who asked, in his own realm.</summary>
    public static void RequireClient(TgsReply reply, IssuedTicket own)
    {
        if (reply.Message.Client != own.Client || !ReplyChecks.SameRealm(reply.Message.ClientRealm, own.ClientRealm))
            throw KerberosException.Rejected($"the referral is of {reply.Message.Client}@{reply.Message.ClientRealm}, not of the account {own.Client}@{own.ClientRealm}");
    }
}
