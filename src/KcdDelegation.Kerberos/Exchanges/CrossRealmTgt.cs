using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Plain TGS exchanges of the account along the trusts between realms (RFC 4120 §3.3.1, RFC 6806 §8).</summary>
internal sealed class CrossRealmTgt(ExchangeContext context)
{
    /// <summary>Requests a ticket-granting ticket for another realm, for the client of a given one.</summary>
    /// <param name="from">A TGT of the account, or a referral that carries a user.</param>
    /// <param name="realm">The realm to reach.</param>
    /// <param name="subject">The names for errors.</param>
    /// <param name="cancellationToken">Cancels the exchange.</param>
    public async Task<IssuedTicket> ReachAsync(
        IssuedTicket from, string realm, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var current = from;
        var path = new ReferralPath(GetRealm(from));
        while (!ReplyChecks.NamesRealm(realm, GetRealm(current)))
            current = await StepAsync(current, PrincipalName.TicketGranting(realm), path, subject, cancellationToken).ConfigureAwait(false);
        return current;
    }

    /// <summary>Follows the referrals for a service to its realm and returns the TGT for that realm.</summary>
    /// <remarks>The ticket to the service itself would be the account's own, so it is discarded.</remarks>
    public async Task<IssuedTicket> FindServiceAsync(
        IssuedTicket own, PrincipalName service, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var (tgt, ticket) = await FollowAsync(own, service, subject, cancellationToken).ConfigureAwait(false);
        ticket.Dispose();
        return tgt;
    }

    /// <summary>Follows the referrals for a service to its realm and returns the account's own ticket to it.</summary>
    public async Task<IssuedTicket> GetOwnTicketAsync(
        IssuedTicket own, PrincipalName service, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var (tgt, ticket) = await FollowAsync(own, service, subject, cancellationToken).ConfigureAwait(false);
        if (tgt != own)
            tgt.Dispose();
        return ticket;
    }

    /// <summary>Returns the realm whose KDC accepts a TGT.</summary>
    public static string GetRealm(IssuedTicket tgt) => tgt.Service.TicketGrantingRealm ?? tgt.ServiceRealm;

    /// <summary>Returns the ticket to a service, and the TGT with which it was requested.</summary>
    private async Task<(IssuedTicket Tgt, IssuedTicket Ticket)> FollowAsync(
        IssuedTicket own, PrincipalName service, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var current = own;
        var path = new ReferralPath(GetRealm(own));
        while (true)
        {
            var next = await StepAsync(current, service, path, subject, cancellationToken).ConfigureAwait(false);
            if (next.Service == service && ReplyChecks.SameRealm(next.ServiceRealm, GetRealm(current)))
                return (current, next);
            current = next;
        }
    }

    private async Task<IssuedTicket> StepAsync(
        IssuedTicket current, PrincipalName service, ReferralPath path, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var query = new StepQuery(current, service);
        var next = await context.SendAsync(
            GetRealm(current), query, subject with { Exchange = KerberosExchange.Referral }, cancellationToken).ConfigureAwait(false);
        if (!query.IsAnswer(next.Service, next.ServiceRealm))
            path.Add(GetRealm(next));
        return next;
    }

    /// <summary>A request for a service, whose reply is the service's ticket or a referral.</summary>
    private sealed class StepQuery(IssuedTicket current, PrincipalName service)
        // RFC 4120 §3.3.3: the option needs a forwardable TGT. Samba refuses the request otherwise, MIT and Windows ignore the option.
        : TgsQuery<IssuedTicket>(
            current, service, KdcOptionFlags.Canonicalize | (current.IsForwardable ? KdcOptionFlags.Forwardable : KdcOptionFlags.None))
    {
        private string AskedRealm => GetRealm(Tgt);

        public bool IsAnswer(PrincipalName name, string realm) => name == Service && ReplyChecks.SameRealm(realm, AskedRealm);

        public override IssuedTicket Accept(TgsReply reply)
        {
            ReferralPath.RequireClient(reply, Tgt);
            CheckRealmName(reply.Part);
            if (!IsAnswer(reply.Part.Service, reply.Part.ServiceRealm))
                ReferralPath.RequireReferral(reply, AskedRealm);
            return reply.ToTicket();
        }

        // Active Directory takes the NetBIOS name of a domain for its realm and answers with its own ticket-granting service.
        private void CheckRealmName(EncKdcReplyPart part)
        {
            if (Service.TicketGrantingRealm is { } requested && part.Service.TicketGrantingRealm is { } realm
                && ReplyChecks.SameRealm(realm, AskedRealm) && ReplyChecks.SameRealm(part.ServiceRealm, AskedRealm))
                throw ReplyChecks.NameMismatch($"'{requested}' is another name of the realm {realm}; configure {realm}");
        }
    }
}
