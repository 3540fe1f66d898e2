using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Constrained delegation (MS-SFU §3.1.5.2): a ticket to the target for the user that the evidence names.</summary>
/// <remarks>A target in another realm is reached by resource-based delegation, over referrals.</remarks>
internal sealed class S4U2ProxyExchange(ExchangeContext context)
{
    private const KdcOptionFlags Options = KdcOptionFlags.Forwardable | KdcOptionFlags.Canonicalize | KdcOptionFlags.ConstrainedDelegation;

    private readonly CrossRealmTgt _trusts = new(context);

    public async Task<IssuedTicket> RequestAsync(
        IssuedTicket tgt, IssuedTicket evidence, ServicePrincipalName service, CancellationToken cancellationToken)
    {
        var subject = new KerberosFailure { Exchange = KerberosExchange.S4U2Proxy, User = evidence.ClientPrincipal, Service = service };
        try
        {
            // MS-SFU §3.1.5.2: the account's own KDC is always asked first, wherever the target is.
            var query = new OwnRealmQuery(tgt, evidence, service);
            var answer = await context.SendAsync(CrossRealmTgt.GetRealm(tgt), query, subject, cancellationToken).ConfigureAwait(false);
            return answer.Service == query.Service
                ? answer
                : await FollowAsync(tgt, answer, evidence, service, subject, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException refusal) when (refusal.Code == KerberosErrorCode.BadOption && !evidence.IsForwardable)
        {
            // MIT and Samba answer a bare BADOPTION for several causes. Here the cause is known.
            var reason = tgt.IsForwardable ? KerberosFailureReason.EvidenceNotForwardable : KerberosFailureReason.AccountNotForwardable;
            throw new KerberosException(refusal.Failure with { Reason = reason }, refusal);
        }
    }

    /// <summary>Gets the ticket from the target's realm (MS-SFU §3.1.5.2.2, §3.2.5.2). The account's own tickets lead to that realm; the
    /// referral is the evidence for the user there.</summary>
    private async Task<IssuedTicket> FollowAsync(
        IssuedTicket tgt,
        IssuedTicket referral,
        IssuedTicket evidence,
        ServicePrincipalName service,
        KerberosFailure subject,
        CancellationToken cancellationToken)
    {
        var target = PrincipalName.From(service);
        var header = await _trusts.FindServiceAsync(tgt, target, subject, cancellationToken).ConfigureAwait(false);
        var realm = CrossRealmTgt.GetRealm(header);
        if (service.Realm is { } configured && !ReplyChecks.NamesRealm(configured, realm))
        {
            throw new KerberosException(subject with
            {
                Exchange = KerberosExchange.Referral,
                Reason = KerberosFailureReason.NameMismatch,
                Account = context.Account.Name,
                Realm = realm,
                Detail = TargetQuery.DescribeRealm(service, realm).ToString(),
            });
        }
        var proof = await _trusts.ReachAsync(referral, realm, subject, cancellationToken).ConfigureAwait(false);
        var query = new TargetRealmQuery(header, proof.Ticket, tgt, evidence, service);
        return await context.SendAsync(realm, query, subject, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A request for the target with a user's evidence.</summary>
    private abstract class TargetQuery(
        IssuedTicket header, Ticket proof, IssuedTicket own, IssuedTicket evidence, ServicePrincipalName target)
        : TgsQuery<IssuedTicket>(header, PrincipalName.From(target), S4U2ProxyExchange.Options)
    {
        public override IReadOnlyList<Ticket> AdditionalTickets { get; } = [proof];

        protected IssuedTicket Own => own;

        protected PrincipalName User => evidence.Client;

        protected ServicePrincipalName Target => target;

        /// <summary>Sets the resource-based bit (MS-SFU §3.1.5.2.1). A KDC that allows the target by the account's own list ignores
        /// it.</summary>
        public override IEnumerable<PaData> CreatePaData(TgsRequestKeys keys) =>
            [PaPacOptions.Create(PaPacOptions.ResourceBasedDelegation)];

        public static FailureDetail DescribeRealm(ServicePrincipalName target, string realm) =>
            $"the service is in the realm {realm}, but its name is configured as '{target}'; end the name with @{realm}, or omit the realm";

        protected void RequireUser(TgsReply reply)
        {
            var message = reply.Message;
            if (message.Client == own.Client && ReplyChecks.SameRealm(message.ClientRealm, own.ClientRealm))
            {
                throw KerberosException.Rejected($"the KDC answered with an ordinary ticket of the account {own.Client} itself: "
                    + $"it does not support constrained delegation");
            }
            if (message.Client != evidence.Client || !ReplyChecks.SameRealm(message.ClientRealm, evidence.ClientRealm))
            {
                throw KerberosException.Rejected($"the ticket names {message.Client}@{message.ClientRealm}, but the evidence names "
                    + $"{evidence.Client}@{evidence.ClientRealm}");
            }
        }
    }

    /// <summary>The request to the account's own realm. The reply is the target's ticket or a referral.</summary>
    private sealed class OwnRealmQuery(IssuedTicket own, IssuedTicket evidence, ServicePrincipalName target)
        : TargetQuery(own, evidence.Ticket, own, evidence, target)
    {
        public override IssuedTicket Accept(TgsReply reply)
        {
            if (reply.Part.Service == Service && ReplyChecks.SameRealm(reply.Part.ServiceRealm, Own.ServiceRealm))
            {
                RequireUser(reply);
                if (Target.Realm is { } configured && !ReplyChecks.NamesRealm(configured, Own.ServiceRealm))
                    throw ReplyChecks.NameMismatch(DescribeRealm(Target, Own.ServiceRealm));
                return reply.ToTicket(User);
            }
            // MS-SFU §3.2.5.2.3: a referral towards the target's realm, which must show support of resource-based delegation.
            ReferralPath.RequireReferral(reply, Own.ServiceRealm);
            ReferralPath.RequireClient(reply, Own);
            ReferralPath.RequireResourceBasedDelegation(reply);
            return reply.ToTicket();
        }
    }

    /// <summary>The request to the target's realm.</summary>
    private sealed class TargetRealmQuery(
        IssuedTicket header, Ticket proof, IssuedTicket own, IssuedTicket evidence, ServicePrincipalName target)
        : TargetQuery(header, proof, own, evidence, target)
    {
        public override IssuedTicket Accept(TgsReply reply)
        {
            var realm = CrossRealmTgt.GetRealm(Tgt);
            if (reply.Part.Service != Service || !ReplyChecks.SameRealm(reply.Part.ServiceRealm, realm))
            {
                throw KerberosException.Rejected($"the ticket is for {reply.Part.Service}@{reply.Part.ServiceRealm}, not for "
                    + $"{Service}@{realm}");
            }
            RequireUser(reply);
            ReferralPath.RequireResourceBasedDelegation(reply);
            return reply.ToTicket();
        }
    }
}
