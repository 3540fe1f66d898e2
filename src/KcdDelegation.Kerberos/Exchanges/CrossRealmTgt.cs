using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Plain TGS exchanges of the account along the trusts between realms (RFC 4120 §3.3.1, RFC 6806 §8).</summary>
internal sealed class CrossRealmTgt(ExchangeContext context)
{
    private const KdcOptionFlags Options = KdcOptionFlags.Forwardable | KdcOptionFlags.Canonicalize;

    /// <summary>A ticket-granting ticket for another realm, in the name of the ticket that is begun with.</summary>
    /// <param name="from">A TGT of the account, or a referral that carries a user.</param>
    /// <param name="realm">Where to.</param>
    /// <param name="subject">For errors.</param>
    /// <param name="cancellationToken">Of the exchange.</param>
    public async Task<IssuedTicket> ReachAsync(IssuedTicket from, string realm, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var current = from;
        var path = new ReferralPath(GetRealm(from));
        while (!string.Equals(GetRealm(current), realm, StringComparison.OrdinalIgnoreCase))
            current = await StepAsync(current, PrincipalName.TicketGranting(realm), path, subject, cancellationToken).ConfigureAwait(false);
        return current;
    }

    /// <summary>Follows the referrals for a service to the realm that has it, and gives the TGT for that realm. The ticket to the
    /// service itself, which would be the account's own, is dropped.</summary>
    public async Task<IssuedTicket> FindServiceAsync(IssuedTicket own, PrincipalName service, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var current = own;
        var path = new ReferralPath(GetRealm(own));
        while (true)
        {
            var next = await StepAsync(current, service, path, subject, cancellationToken).ConfigureAwait(false);
            if (next.Service == service && ReplyChecks.SameRealm(next.ServiceRealm, GetRealm(current)))
            {
                next.Dispose();
                return current;
            }
            current = next;
        }
    }

    /// <summary>The realm whose KDC a TGT is shown to.</summary>
    public static string GetRealm(IssuedTicket tgt) => tgt.Service.TicketGrantingRealm ?? tgt.ServiceRealm;

    private async Task<IssuedTicket> StepAsync(IssuedTicket current, PrincipalName service, ReferralPath path, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var asked = GetRealm(current);
        bool IsAnswer(PrincipalName name, string realm) => name == service && ReplyChecks.SameRealm(realm, asked);
        var query = new TgsQuery<IssuedTicket>
        {
            Tgt = current,
            Service = service,
            Options = Options,
            Accept = reply =>
            {
                ReferralPath.RequireClient(reply, current);
                if (!IsAnswer(reply.Part.Service, reply.Part.ServiceRealm))
                    ReferralPath.RequireReferral(reply, asked);
                return reply.ToTicket();
            },
        };
        var next = await context.SendAsync(asked, KdcRequestMode.Hedged, () => new TgsExchange<IssuedTicket>(query, context.EncryptionTypes, context.Clock), subject with { Exchange = KerberosExchange.Referral }, cancellationToken).ConfigureAwait(false);
        if (!IsAnswer(next.Service, next.ServiceRealm))
            path.Enter(GetRealm(next));
        return next;
    }
}
