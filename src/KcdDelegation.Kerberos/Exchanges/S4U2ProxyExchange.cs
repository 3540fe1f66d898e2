using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Constrained delegation (MS-SFU §3.1.5.2): a ticket to the target in the name of the user whom the evidence names. A target
/// of another realm is reached by resource-based delegation, over referrals.</summary>
internal sealed class S4U2ProxyExchange(ExchangeContext context)
{
    private const KdcOptionFlags Options = KdcOptionFlags.Forwardable | KdcOptionFlags.Canonicalize | KdcOptionFlags.ConstrainedDelegation;

    private readonly CrossRealmTgt _trusts = new(context);

    public async Task<IssuedTicket> RequestAsync(IssuedTicket tgt, IssuedTicket evidence, ServicePrincipalName service, CancellationToken cancellationToken)
    {
        var target = PrincipalName.From(service);
        var subject = new KerberosFailure { Exchange = KerberosExchange.S4U2Proxy, User = evidence.ClientPrincipal, Service = service };
        try
        {
            // MS-SFU §3.1.5.2: the account's own KDC is always asked first, wherever the target is.
            var answer = await AskAsync(tgt, evidence.Ticket, reply => AcceptAtHome(reply, tgt, evidence, target, service.Realm), target, subject, cancellationToken).ConfigureAwait(false);
            return answer.Service == target ? answer : await FollowAsync(tgt, answer, evidence, target, service.Realm, subject, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException refusal) when (refusal.Code == KerberosErrorCode.BadOption && !evidence.IsForwardable)
        {
            // MIT and Samba answer a bare BADOPTION whatever the cause; here it is known.
            var reason = tgt.IsForwardable ? KerberosFailureReason.EvidenceNotForwardable : KerberosFailureReason.AccountNotForwardable;
            throw new KerberosException(refusal.Failure with { Reason = reason }, refusal);
        }
    }

    /// <summary>MS-SFU §3.1.5.2.2 and §3.2.5.2: the referral stands for the user at the next realm; the account's own tickets lead to the
    /// target's realm, and there the two are shown together.</summary>
    private async Task<IssuedTicket> FollowAsync(IssuedTicket tgt, IssuedTicket referral, IssuedTicket evidence, PrincipalName target, string? targetRealm, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var header = await _trusts.FindServiceAsync(tgt, target, subject, cancellationToken).ConfigureAwait(false);
        var realm = CrossRealmTgt.GetRealm(header);
        if (targetRealm is not null && !ReplyChecks.SameRealm(realm, targetRealm))
            throw new KerberosException(subject with { Exchange = KerberosExchange.Referral, Reason = KerberosFailureReason.ReplyRejected, Account = context.Account.Name, Realm = realm, Detail = $"the referrals lead to {realm}, but the target is of {targetRealm}" });
        var proof = await _trusts.ReachAsync(referral, realm, subject, cancellationToken).ConfigureAwait(false);
        return await AskAsync(header, proof.Ticket, reply => AcceptAbroad(reply, tgt, evidence, target, realm), target, subject, cancellationToken).ConfigureAwait(false);
    }

    private Task<IssuedTicket> AskAsync(IssuedTicket header, Ticket evidence, Func<TgsReply, IssuedTicket> accept, PrincipalName target, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var query = new TgsQuery<IssuedTicket>
        {
            Tgt = header,
            Service = target,
            Options = Options,
            AdditionalTickets = [evidence],
            // MS-SFU §3.1.5.2.1: the bit is always set; a KDC that would allow the target by its own list does not mind.
            PaData = static _ => [PaPacOptions.Create(PaPacOptions.ResourceBasedDelegation)],
            Accept = accept,
        };
        return context.SendAsync(CrossRealmTgt.GetRealm(header), KdcRequestMode.Hedged, () => new TgsExchange<IssuedTicket>(query, context.EncryptionTypes, context.Clock), subject, cancellationToken);
    }

    private static IssuedTicket AcceptAtHome(TgsReply reply, IssuedTicket tgt, IssuedTicket evidence, PrincipalName target, string? targetRealm)
    {
        if (reply.Part.Service == target && ReplyChecks.SameRealm(reply.Part.ServiceRealm, targetRealm ?? tgt.ServiceRealm))
        {
            RequireUser(reply, tgt, evidence);
            return reply.ToTicket(evidence.Client);
        }
        // MS-SFU §3.2.5.2.3: a referral towards the target's realm, which must say that it knows resource-based delegation.
        var next = ReferralPath.RequireReferral(reply, tgt.ServiceRealm);
        if (string.Equals(next, tgt.ServiceRealm, StringComparison.OrdinalIgnoreCase))
            throw KerberosException.Rejected("the KDC refers to itself");
        ReferralPath.RequireClient(reply, tgt);
        RequireResourceBasedDelegation(reply);
        return reply.ToTicket();
    }

    private static IssuedTicket AcceptAbroad(TgsReply reply, IssuedTicket tgt, IssuedTicket evidence, PrincipalName target, string realm)
    {
        if (reply.Part.Service != target || !ReplyChecks.SameRealm(reply.Part.ServiceRealm, realm))
            throw KerberosException.Rejected($"the ticket is for {reply.Part.Service}@{reply.Part.ServiceRealm}, not for {target}@{realm}");
        RequireUser(reply, tgt, evidence);
        RequireResourceBasedDelegation(reply);
        return reply.ToTicket();
    }

    private static void RequireUser(TgsReply reply, IssuedTicket tgt, IssuedTicket evidence)
    {
        var message = reply.Message;
        if (message.Client == tgt.Client && ReplyChecks.SameRealm(message.ClientRealm, tgt.ClientRealm))
            throw KerberosException.Rejected($"the KDC answered with an ordinary ticket of the account {tgt.Client} itself: it does not know constrained delegation");
        if (message.Client != evidence.Client || !ReplyChecks.SameRealm(message.ClientRealm, evidence.ClientRealm))
            throw KerberosException.Rejected($"the ticket is of {message.Client}@{message.ClientRealm}, but the evidence of {evidence.Client}@{evidence.ClientRealm}");
    }

    private static void RequireResourceBasedDelegation(TgsReply reply)
    {
        if (reply.Part.EncryptedPaData.Find(PaDataType.PacOptions) is not { } options || (PaPacOptions.Decode(options) & PaPacOptions.ResourceBasedDelegation) == 0)
            throw KerberosException.Rejected("the reply does not say that the KDC knows resource-based delegation");
    }
}
