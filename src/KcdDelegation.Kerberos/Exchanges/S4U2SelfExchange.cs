using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Protocol transition (MS-SFU §3.1.5.1): a ticket to the account itself in the name of a user who never showed the KDC a
/// password. A user of another realm is vouched for by his own realm's KDC, and the ticket comes home over referrals (MS-SFU §4.2).</summary>
internal sealed class S4U2SelfExchange(ExchangeContext context)
{
    /// <summary>Never renewable: a new ticket costs the same as a renewal, and KDCs refuse the option on a TGT that is not renewable itself.</summary>
    private const KdcOptionFlags Options = KdcOptionFlags.Forwardable | KdcOptionFlags.Canonicalize;

    private readonly UserRealmDiscovery _realms = new(context);
    private readonly CrossRealmTgt _trusts = new(context);
    private readonly KeyUpdateWait _lag = new(context.Account, context.Clock.TimeProvider, context.Logger);

    public async Task<UserEvidence> RequestAsync(IssuedTicket tgt, KerberosPrincipal user, CancellationToken cancellationToken)
    {
        var keys = _lag.Version;
        try
        {
            return await RequestOnceAsync(tgt, user, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException refusal) when (refusal.Code == KerberosErrorCode.BadOption && !tgt.IsForwardable)
        {
            // Samba refuses the forwardable option if the TGT is not forwardable itself (RFC 4120 §3.3.3).
            throw new KerberosException(refusal.Failure with { Reason = KerberosFailureReason.AccountNotForwardable }, refusal);
        }
        catch (KerberosException error) when (error.Reason == KerberosFailureReason.KeyUnavailable)
        {
            if (!await _lag.IsOverAsync(keys, cancellationToken).ConfigureAwait(false))
                throw;
            return await RequestOnceAsync(tgt, user, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<UserEvidence> RequestOnceAsync(IssuedTicket tgt, KerberosPrincipal user, CancellationToken cancellationToken)
    {
        var userRealm = user.Realm ?? await _realms.FindAsync(user, cancellationToken).ConfigureAwait(false);
        var asked = new S4UUser(PrincipalName.From(user), userRealm, user.SecurityIdentifier);
        // MS-SFU §3.1.5.1.2: a ticket of the account for itself is no protocol transition, and its reply could not be told from one
        // of a KDC that ignored the request.
        if (asked.Name == tgt.Client && string.Equals(userRealm, tgt.ClientRealm, StringComparison.OrdinalIgnoreCase))
            throw new KerberosException(new KerberosFailure { Exchange = KerberosExchange.S4U2Self, Reason = KerberosFailureReason.IdentityMismatch, Account = context.Account.Name, Realm = context.Realm, User = user, Detail = "the user to act as is the delegating account itself" });

        var subject = new KerberosFailure { Exchange = KerberosExchange.S4U2Self, User = user };
        var evidence = string.Equals(userRealm, tgt.ClientRealm, StringComparison.OrdinalIgnoreCase)
            ? await AskHomeAsync(tgt, tgt, asked, subject, cancellationToken).ConfigureAwait(false)
            : await AskAbroadAsync(tgt, asked, subject, cancellationToken).ConfigureAwait(false);
        if (!evidence.Ticket.IsForwardable)
            ExchangeLog.EvidenceNotForwardable(context.Logger, context.Account.Name, context.Realm);
        return evidence;
    }

    /// <summary>The account's own KDC issues the evidence, from the account's TGT or from a referral that brings the user home.</summary>
    private Task<UserEvidence> AskHomeAsync(IssuedTicket own, IssuedTicket header, S4UUser user, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var query = new TgsQuery<UserEvidence>
        {
            Tgt = header,
            Service = own.Client,
            Options = Options,
            PaData = user.MakePaData,
            Accept = reply => EvidenceChecks.Accept(context, reply, own, user),
        };
        return context.SendAsync(CrossRealmTgt.GetRealm(header), KdcRequestMode.Hedged, () => new TgsExchange<UserEvidence>(query, context.EncryptionTypes, context.Clock), subject, cancellationToken);
    }

    /// <summary>MS-SFU §4.2: the user's KDC is asked with the account as an enterprise name, and answers with a referral towards the
    /// account's realm that carries the user; each realm on the way is asked again. These tickets are never cached.</summary>
    private async Task<UserEvidence> AskAbroadAsync(IssuedTicket own, S4UUser user, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var header = await _trusts.ReachAsync(own, user.Realm, subject, cancellationToken).ConfigureAwait(false);
        var path = new ReferralPath(CrossRealmTgt.GetRealm(header));
        var self = new PrincipalName((int)PrincipalNameType.Enterprise, [$"{own.Client}@{own.ClientRealm}"]);
        while (!ReplyChecks.SameRealm(CrossRealmTgt.GetRealm(header), own.ServiceRealm))
        {
            var (current, current_user) = (header, user);
            var asked = CrossRealmTgt.GetRealm(current);
            var query = new TgsQuery<(IssuedTicket Ticket, S4UUser User)>
            {
                Tgt = current,
                Service = self,
                Options = Options,
                PaData = current_user.MakePaData,
                Accept = reply =>
                {
                    ReferralPath.RequireReferral(reply, asked);
                    ReferralPath.RequireClient(reply, own);
                    return (reply.ToTicket(), current_user.AsSignedIn(reply));
                },
            };
            (header, user) = await context.SendAsync(asked, KdcRequestMode.Hedged, () => new TgsExchange<(IssuedTicket, S4UUser)>(query, context.EncryptionTypes, context.Clock), subject, cancellationToken).ConfigureAwait(false);
            path.Enter(CrossRealmTgt.GetRealm(header));
        }
        return await AskHomeAsync(own, header, user, subject, cancellationToken).ConfigureAwait(false);
    }
}
