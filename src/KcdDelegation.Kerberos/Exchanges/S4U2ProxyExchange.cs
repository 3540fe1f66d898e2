using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Constrained delegation (MS-SFU §3.1.5.2): a ticket to the target in the name of the user whom the evidence names.</summary>
internal sealed class S4U2ProxyExchange(ExchangeContext context)
{
    private const KdcOptionFlags Options = KdcOptionFlags.Forwardable | KdcOptionFlags.Renewable | KdcOptionFlags.Canonicalize | KdcOptionFlags.ConstrainedDelegation;

    public async Task<IssuedTicket> RequestAsync(IssuedTicket tgt, UserEvidence evidence, ServicePrincipalName service, CancellationToken cancellationToken)
    {
        var target = PrincipalName.Of(service);
        var query = new TgsQuery<IssuedTicket>
        {
            Tgt = tgt,
            Service = target,
            Options = Options,
            AdditionalTickets = [evidence.Ticket.Ticket],
            // MS-SFU §3.1.5.2.1: the bit is always set; a KDC that would allow the target by its own list does not mind.
            PaData = static _ => [PaPacOptions.Create(PaPacOptions.ResourceBasedDelegation)],
            Accept = reply => Accept(reply, tgt, evidence, target, service.Realm ?? tgt.ServiceRealm),
        };
        try
        {
            return await context.SendAsync(tgt.ServiceRealm, KdcAttempts.Hedged, () => new TgsAttempt<IssuedTicket>(query, context.EncryptionTypes, context.Clock), new KerberosFailure { Exchange = KerberosExchange.S4U2Proxy, User = evidence.Ticket.ClientPrincipal, Service = service }, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException refusal) when (refusal.Code == KerberosErrorCode.BadOption && !evidence.Ticket.IsForwardable)
        {
            // MIT and Samba answer a bare BADOPTION whatever the cause; here it is known.
            throw new KerberosException(refusal.Failure with { Reason = KerberosFailureReason.EvidenceNotForwardable }, refusal);
        }
    }

    private static IssuedTicket Accept(TgsReply reply, IssuedTicket tgt, UserEvidence evidence, PrincipalName target, string targetRealm)
    {
        var (message, part, _) = reply;
        if (part.Service != target || !ReplyChecks.SameRealm(part.ServiceRealm, targetRealm))
            throw KerberosException.Rejected($"the ticket is for {part.Service}@{part.ServiceRealm}, not for {target}@{targetRealm}");
        if (message.Client == tgt.Client)
            throw KerberosException.Rejected($"the KDC answered with an ordinary ticket of the account {tgt.Client} itself: it does not know constrained delegation");
        if (message.Client != evidence.Ticket.Client || !ReplyChecks.SameRealm(message.ClientRealm, evidence.Ticket.ClientRealm))
            throw KerberosException.Rejected($"the ticket is of {message.Client}@{message.ClientRealm}, but the evidence of {evidence.Ticket.Client}@{evidence.Ticket.ClientRealm}");
        return reply.ToTicket();
    }
}
