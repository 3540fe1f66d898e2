using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Protocol transition (MS-SFU §3.1.5.1): a ticket to the account itself for a user who gave the KDC no credentials.</summary>
/// <remarks>The KDC of the user's own realm vouches for a user of another realm. The ticket reaches the account's realm over referrals
/// (MS-SFU §4.2).</remarks>
internal sealed class S4U2SelfExchange(ExchangeContext context)
{
    /// <summary>Never renewable: a new ticket costs the same as a renewal, and KDCs refuse the option if the TGT is not
    /// renewable.</summary>
    private const KdcOptionFlags Options = KdcOptionFlags.Forwardable | KdcOptionFlags.Canonicalize;

    private readonly UserRealmDiscovery _realms = new(context);
    private readonly CrossRealmTgt _trusts = new(context);
    private readonly KeyUpdateWait _keyUpdate = new(context.Account, context.Clock.TimeProvider, context.Logger);

    public async Task<UserEvidence> RequestAsync(IssuedTicket tgt, KerberosPrincipal user, CancellationToken cancellationToken)
    {
        var keys = _keyUpdate.Version;
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
            if (!await _keyUpdate.WaitAsync(keys, cancellationToken).ConfigureAwait(false))
                throw;
            return await RequestOnceAsync(tgt, user, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<UserEvidence> RequestOnceAsync(IssuedTicket tgt, KerberosPrincipal user, CancellationToken cancellationToken)
    {
        var realm = user.Realm ?? await _realms.FindAsync(user, cancellationToken).ConfigureAwait(false);
        var asked = new S4UUser(PrincipalName.From(user), realm, user.SecurityIdentifier);
        var isOwnRealm = ReplyChecks.NamesRealm(realm, tgt.ClientRealm);
        // MS-SFU §3.1.5.1.2: a ticket of the account for itself is no protocol transition. Its reply would look like that of a KDC that
        // ignored the request.
        if (asked.Name == tgt.Client && isOwnRealm)
            throw RefuseAccountItself(user);

        var subject = new KerberosFailure { Exchange = KerberosExchange.S4U2Self, User = user };
        var evidence = isOwnRealm
            ? await RequestFromOwnRealmAsync(tgt, tgt, asked, subject, cancellationToken).ConfigureAwait(false)
            : await RequestFromUserRealmAsync(tgt, asked, subject, cancellationToken).ConfigureAwait(false);
        if (!evidence.Ticket.IsForwardable)
            ExchangeLog.EvidenceNotForwardable(context.Logger, context.Account.Name, context.Realm);
        return evidence;
    }

    /// <summary>Requests the evidence from the account's own KDC, with the account's TGT or with a referral that carries the
    /// user.</summary>
    private async Task<UserEvidence> RequestFromOwnRealmAsync(
        IssuedTicket own, IssuedTicket header, S4UUser user, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var query = new EvidenceQuery(context, own, header, user);
        try
        {
            return await context.SendAsync(CrossRealmTgt.GetRealm(header), query, subject, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error) when (error.Code is not null && ReplyChecks.NamesRealm(user.Realm, own.ClientRealm)
            && !ReplyChecks.SameRealm(user.Realm, own.ClientRealm))
        {
            // MIT compares realms with their case. The KDC's spelling is known, so the message says it.
            var detail = $"the KDC's realm is {own.ClientRealm}, but the user's realm is configured as '{user.Realm}'; "
                + $"set it to {own.ClientRealm}";
            var failure = error.Failure with { Detail = error.Detail.Length > 0 ? $"{error.Detail}; {detail}" : detail };
            throw new KerberosException(failure, error);
        }
    }

    /// <summary>Requests the evidence of a user of another realm (MS-SFU §4.2).</summary>
    /// <remarks>The user's KDC is asked for the account as an enterprise name. It answers with a referral towards the account's realm that
    /// carries the user, and each realm on the path is asked again. These tickets are never cached.</remarks>
    private async Task<UserEvidence> RequestFromUserRealmAsync(
        IssuedTicket own, S4UUser user, KerberosFailure subject, CancellationToken cancellationToken)
    {
        var header = await _trusts.ReachAsync(own, user.Realm, subject, cancellationToken).ConfigureAwait(false);
        var path = new ReferralPath(CrossRealmTgt.GetRealm(header));
        while (!ReplyChecks.SameRealm(CrossRealmTgt.GetRealm(header), own.ServiceRealm))
        {
            var query = new UserReferralQuery(own, header, user);
            var realm = CrossRealmTgt.GetRealm(header);
            (header, user) = await context.SendAsync(realm, query, subject, cancellationToken).ConfigureAwait(false);
            path.Add(CrossRealmTgt.GetRealm(header));
        }
        return await RequestFromOwnRealmAsync(own, header, user, subject, cancellationToken).ConfigureAwait(false);
    }

    private KerberosException RefuseAccountItself(KerberosPrincipal user) => new(new KerberosFailure
    {
        Exchange = KerberosExchange.S4U2Self,
        Reason = KerberosFailureReason.IdentityMismatch,
        Account = context.Account.Name,
        Realm = context.Realm,
        User = user,
        Detail = "the user to act as is the delegating account itself",
    });

    /// <summary>A request for the user's ticket to the account.</summary>
    private sealed class EvidenceQuery(ExchangeContext context, IssuedTicket own, IssuedTicket header, S4UUser user)
        : TgsQuery<UserEvidence>(header, own.Client, S4U2SelfExchange.Options)
    {
        public override IEnumerable<PaData> CreatePaData(TgsRequestKeys keys) => user.CreatePaData(keys);

        public override UserEvidence Accept(TgsReply reply) => EvidenceChecks.Accept(context, reply, own, user);
    }

    /// <summary>A request to a foreign realm for a referral that carries the user towards the account's realm.</summary>
    private sealed class UserReferralQuery(IssuedTicket own, IssuedTicket header, S4UUser user)
        : TgsQuery<(IssuedTicket Ticket, S4UUser User)>(
            header, new PrincipalName((int)PrincipalNameType.Enterprise, [$"{own.Client}@{own.ClientRealm}"]), S4U2SelfExchange.Options)
    {
        public override IEnumerable<PaData> CreatePaData(TgsRequestKeys keys) => user.CreatePaData(keys);

        public override (IssuedTicket Ticket, S4UUser User) Accept(TgsReply reply)
        {
            ReferralPath.RequireReferral(reply, CrossRealmTgt.GetRealm(Tgt));
            ReferralPath.RequireClient(reply, own);
            return (reply.ToTicket(), user.AsSignedIn(reply));
        }
    }
}
