using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.ApExchange;

/// <summary>The steps of a delegation: log-on, S4U2Self and S4U2Proxy. The tickets of the first two steps are cached.</summary>
internal sealed class DelegationSteps(ExchangeContext context, TicketStore store)
{
    private readonly AccountLogOn _logOn = new(context);
    private readonly S4U2SelfExchange _self = new(context);
    private readonly S4U2ProxyExchange _proxy = new(context);
    private readonly CrossRealmTgt _trusts = new(context);

    /// <summary>Logs the account on, unless its ticket is in the cache.</summary>
    public Task<IssuedTicket> LogOnAsync(CancellationToken cancellationToken) =>
        store.GetOrAddAsync(TicketKey.Tgt(context.Account.Name), _logOn.RequestAsync, cancellationToken);

    /// <summary>Gets the account's own ticket to a service. Repeats the request once with a new TGT if a KDC no longer accepts the cached
    /// one.</summary>
    public async Task<ServiceTicket> GetAccountTicketAsync(ServicePrincipalName service, CancellationToken cancellationToken)
    {
        var (tgt, wasCached) = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
        IssuedTicket ticket;
        try
        {
            ticket = await RequestAsync(tgt).ConfigureAwait(false);
        }
        catch (KerberosException error) when (wasCached && StaleTickets.AreIndicatedBy(error))
        {
            DropStale(error, tgt);
            (tgt, _) = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
            ticket = await RequestAsync(tgt).ConfigureAwait(false);
        }
        return new ServiceTicket(ticket, service, null, context.Clock) { IsOfAccount = true };

        Task<IssuedTicket> RequestAsync(IssuedTicket tgt) => _trusts.GetOwnTicketAsync(
            tgt, PrincipalName.From(service), new KerberosFailure { Service = service }, cancellationToken);
    }

    /// <summary>Runs the steps of a delegation. Repeats them once with new tickets if a KDC no longer accepts cached ones.</summary>
    public async Task<ServiceTicket> DelegateAsync(DelegationRequest request, CancellationToken cancellationToken)
    {
        // In this order: the evidence may have needed a new TGT.
        var (evidence, isNewEvidence) = await GetEvidenceAsync(request, cancellationToken).ConfigureAwait(false);
        var (tgt, wasCached) = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
        IssuedTicket ticket;
        try
        {
            ticket = await _proxy.RequestAsync(tgt, evidence.Ticket, request.Service, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error)
            when (error.Reason is KerberosFailureReason.EvidenceNotForwardable or KerberosFailureReason.AccountNotForwardable)
        {
            // The remedy changes the account or the user. Tickets that were issued before it stay as they are, so they are dropped.
            store.Drop(TicketKey.Self(context.Account.Name, request.User), evidence);
            if (!tgt.IsForwardable)
                store.Drop(TicketKey.Tgt(context.Account.Name), tgt);
            throw;
        }
        catch (KerberosException error) when (StaleTickets.AreIndicatedBy(error) || StaleTickets.EvidenceIsIndicatedBy(error))
        {
            if (StaleTickets.AreIndicatedBy(error))
                DropStale(error, tgt);
            else if ((request.Presented is not null || StaleTickets.IsRefusalOfSignature(error))
                && !await RenewTgtAsync(error, tgt, wasCached, cancellationToken).ConfigureAwait(false) && isNewEvidence)
                throw;
            // With cached evidence, the S4U2Self exchange shows whether the TGT is stale as well.
            store.Drop(TicketKey.Self(context.Account.Name, request.User), evidence);
            (evidence, _) = await GetEvidenceAsync(request, cancellationToken).ConfigureAwait(false);
            (tgt, _) = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
            ticket = await _proxy.RequestAsync(tgt, evidence.Ticket, request.Service, cancellationToken).ConfigureAwait(false);
        }
        return new ServiceTicket(ticket, request, evidence.SecurityIdentifier, context.Clock);
    }

    /// <summary>Gets the user's evidence, from the cache if possible.</summary>
    public Task<UserEvidence> GetEvidenceAsync(KerberosPrincipal user, CancellationToken cancellationToken) => store.GetOrAddAsync(
        TicketKey.Self(context.Account.Name, user), token => RequestEvidenceAsync(user, token), cancellationToken);

    /// <summary>Gets the user's evidence, and whether it cannot be replaced by newer evidence: it was requested now or presented.</summary>
    private async Task<(UserEvidence Evidence, bool IsNew)> GetEvidenceAsync(
        DelegationRequest request, CancellationToken cancellationToken)
    {
        if (request.Presented is not { } presented)
        {
            var isNew = false;
            var key = TicketKey.Self(context.Account.Name, request.User);
            var evidence = await store.GetOrAddNestedAsync(key, RequestAsync, cancellationToken).ConfigureAwait(false);
            return (evidence, isNew);

            Task<UserEvidence> RequestAsync(CancellationToken token)
            {
                isNew = true;
                return RequestEvidenceAsync(request.User, token);
            }
        }
        // A KDC would refuse it with an error that could mean the account's own ticket as well.
        if (presented.EndTime <= context.Clock.Now)
        {
            throw new KerberosException(new KerberosFailure
            {
                Code = KerberosErrorCode.TicketExpired,
                Exchange = KerberosExchange.S4U2Proxy,
                User = request.User,
                Service = request.Service,
                Account = context.Account.Name,
                Detail = $"the ticket that the user presented ended at {presented.EndTime:u}; the user must present a new one",
            });
        }
        return (new UserEvidence(presented.Evidence, null), true);
    }

    private async Task<UserEvidence> RequestEvidenceAsync(KerberosPrincipal user, CancellationToken cancellationToken)
    {
        var (tgt, wasCached) = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await _self.RequestAsync(tgt, user, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error) when (error.Reason == KerberosFailureReason.AccountNotForwardable)
        {
            // The remedy changes the account. A TGT that was issued before it stays as it is, so it is dropped.
            store.Drop(TicketKey.Tgt(context.Account.Name), tgt);
            throw;
        }
        catch (KerberosException error) when (StaleTickets.AreIndicatedBy(error))
        {
            DropStale(error, tgt);
        }
        catch (KerberosException error) when (StaleTickets.IndicatesStaleTgt(error, CrossRealmTgt.GetRealm(tgt)))
        {
            if (!await RenewTgtAsync(error, tgt, wasCached, cancellationToken).ConfigureAwait(false))
                throw;
        }
        (tgt, _) = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
        return await _self.RequestAsync(tgt, user, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gets the TGT, and whether it was in the cache before this request.</summary>
    private async Task<(IssuedTicket Tgt, bool WasCached)> GetTgtAsync(CancellationToken cancellationToken)
    {
        var key = TicketKey.Tgt(context.Account.Name);
        return store.TryGet<IssuedTicket>(key, out var cached)
            ? (cached, true)
            : (await store.GetOrAddNestedAsync(key, _logOn.RequestAsync, cancellationToken).ConfigureAwait(false), false);
    }

    /// <summary>Replaces a cached TGT after a generic error, at most once a minute. The old one stays until the new one arrives.</summary>
    private async Task<bool> RenewTgtAsync(KerberosException error, IssuedTicket tgt, bool wasCached, CancellationToken cancellationToken)
    {
        if (!wasCached || !StaleTickets.IndicatesStaleTgt(error, CrossRealmTgt.GetRealm(tgt)))
            return false;
        var renewed = await store.ReplaceAsync(
            TicketKey.Tgt(context.Account.Name), tgt, _logOn.RequestAsync, isNested: true, cancellationToken).ConfigureAwait(false);
        if (renewed is not null)
            ExchangeLog.CachedTicketRefused(context.Logger, error.Realm, error.Code);
        return renewed is not null;
    }

    private void DropStale(KerberosException error, IssuedTicket tgt)
    {
        ExchangeLog.CachedTicketRefused(context.Logger, error.Realm, error.Code);
        store.Drop(TicketKey.Tgt(context.Account.Name), tgt);
    }
}
