using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Kerberos;

/// <summary>A client that gets service tickets for users by protocol transition and constrained delegation (MS-SFU). Thread-safe.</summary>
/// <remarks>A request needs the account's ticket-granting ticket, a ticket to the account itself for the user (S4U2Self), and with it the
/// ticket to the target (S4U2Proxy). All three are cached. Create one client per delegating account and process. It does not own the
/// account, the logger factory or the time provider.</remarks>
public sealed class S4UClient : IAsyncDisposable
{
    private readonly string _account;
    private readonly KdcClock _clock;
    private readonly ILogger _logger;
    private readonly KdcDispatcher _dispatcher;
    private readonly RealmConcurrencyLimits _limits;
    private readonly TicketStore _store;
    private readonly AccountLogOn _logOn;
    private readonly S4U2SelfExchange _self;
    private readonly S4U2ProxyExchange _proxy;
    private readonly TokenAcceptor _acceptor;

    /// <summary>Creates a client. No KDC is contacted yet.</summary>
    /// <exception cref="ArgumentException">An option is missing or out of range. The message names it.</exception>
    public S4UClient(S4UClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        S4UClientOptionsRules.ThrowIfInvalid(options);
        _account = options.Account.Name;
        _clock = new KdcClock(options.TimeProvider);
        _logger = options.LoggerFactory?.CreateLogger<S4UClient>() ?? NullLogger<S4UClient>.Instance;
        _dispatcher = KdcDispatcher.Create(options.Kdcs, options.TimeProvider, _logger);
        _limits = new RealmConcurrencyLimits(options.Realm, options.Cache.MaxConcurrentExchanges, options.Cache.MaxQueuedExchanges);
        _store = new TicketStore(options.Cache, options.Timeout, _clock, _logger);
        var context = new ExchangeContext
        {
            Realm = options.Realm,
            Account = options.Account,
            EncryptionTypes = [.. options.EncryptionTypes],
            MaxClockCorrection = options.MaxClockCorrection,
            Clock = _clock,
            Dispatcher = _dispatcher,
            Limits = _limits,
            Logger = _logger,
        };
        if (Md5.IsRefused)
            ExchangeLog.Md5Refused(_logger);
        _logOn = new AccountLogOn(context);
        _self = new S4U2SelfExchange(context);
        _proxy = new S4U2ProxyExchange(context);
        _acceptor = new TokenAcceptor(context);
    }

    /// <summary>Logs the account on, unless it is logged on already. Use it in health checks and at the start of a host.</summary>
    /// <exception cref="KerberosException">The KDC refused the account, or none answered.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public async ValueTask LogOnAsync(CancellationToken cancellationToken = default) =>
        await _store.GetOrAddAsync(TicketKey.Tgt(_account), _logOn.RequestAsync, cancellationToken).ConfigureAwait(false);

    /// <summary>Gets a ticket for a user by S4U2Self and S4U2Proxy, from the cache if possible.</summary>
    /// <param name="user">The user to act as.</param>
    /// <param name="service">The target: in the account's delegation list, or with the account in its own list.</param>
    /// <param name="cancellationToken">Cancels this wait, but not an exchange that other callers share.</param>
    /// <exception cref="KerberosException">A KDC refused, none answered, or a reply failed its checks.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public ValueTask<ServiceTicket> GetTicketAsync(
        KerberosPrincipal user, ServicePrincipalName service, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(service);
        var key = new TicketKey(TicketKind.Service, _account, user, service, EvidenceOrigin.ProtocolTransition);
        // A hit allocates nothing: the closures of a miss are in a method of their own.
        return _store.TryGet<ServiceTicket>(key, out var held)
            ? ValueTask.FromResult(held)
            : TransitionAsync(key, user, service, cancellationToken);
    }

    /// <summary>Gets a ticket for a user who presented their own ticket, by S4U2Proxy without protocol transition. Uses the cache if
    /// possible.</summary>
    /// <param name="user">A result of <see cref="AcceptAsync"/> of this client.</param>
    /// <param name="service">The target.</param>
    /// <param name="cancellationToken">Cancels this wait, but not an exchange that other callers share.</param>
    /// <exception cref="KerberosException">A KDC refused, none answered, or a reply failed its checks.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public ValueTask<ServiceTicket> GetTicketAsync(
        AcceptedUser user, ServicePrincipalName service, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(service);
        var key = new TicketKey(TicketKind.Service, _account, user.Principal, service, user.Origin);
        return _store.TryGet<ServiceTicket>(key, out var held)
            ? ValueTask.FromResult(held)
            : PassOnAsync(key, user, service, cancellationToken);
    }

    /// <summary>Replaces a cached ticket that the service refused, for example after the service's key changed. At most one replacement per
    /// user, service and minute.</summary>
    /// <remarks>If the cache has another ticket for the same user and service already, that one is returned without an exchange. The
    /// refused ticket stays in the cache until its successor arrives.</remarks>
    /// <param name="refused">The ticket that the service refused, from this client.</param>
    /// <param name="cancellationToken">Cancels this wait, but not an exchange that other callers share.</param>
    /// <returns>Another ticket, or null if the ticket was replaced less than a minute ago.</returns>
    /// <exception cref="ArgumentException">The ticket is from another client.</exception>
    /// <exception cref="KerberosException">A KDC refused, none answered, or a reply failed its checks.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public async ValueTask<ServiceTicket?> ReplaceTicketAsync(ServiceTicket refused, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(refused);
        if (!ReferenceEquals(refused.Clock, _clock) || refused.Request is not { } request)
            throw new ArgumentException("The ticket is from another client.", nameof(refused));
        try
        {
            var replacement = _store.ReplaceAsync(
                GetKey(request), refused, token => DelegateAsync(request, token), isNested: false, cancellationToken);
            return await replacement.ConfigureAwait(false);
        }
        catch (KerberosException error) when (error.User is null || error.Service is null)
        {
            throw error.InContext(new KerberosFailure { User = request.User, Service = request.Service });
        }
    }

    /// <summary>Validates a GSS krb5 token (RFC 4121 §4.1, without SPNEGO around it) that a client presented to the account: its ticket,
    /// authenticator and times, and that it is no replay.</summary>
    /// <param name="token">The bytes of the token.</param>
    /// <param name="cancellationToken">Cancels the log-on that an account with a password may need first.</param>
    /// <exception cref="KerberosException">The token is refused (<see cref="KerberosFailureReason.TokenRejected"/>), or the account's key
    /// is known only after a log-on, which failed.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public async ValueTask<AcceptedUser> AcceptAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken = default)
    {
        try
        {
            return _acceptor.Accept(token);
        }
        catch (KerberosException error) when (error.Code == KerberosErrorCode.NoKey)
        {
            // The key of a password depends on a salt that only the KDC knows.
            await LogOnAsync(cancellationToken).ConfigureAwait(false);
            return _acceptor.Accept(token);
        }
    }

    /// <summary>Removes every ticket of the user. No header is created from a purged ticket after this returns.</summary>
    /// <param name="user">The user, as requested.</param>
    /// <returns>The number of removed entries.</returns>
    public int Purge(KerberosPrincipal user)
    {
        ArgumentNullException.ThrowIfNull(user);
        return _store.Purge(key => user.Equals(key.User));
    }

    /// <summary>Removes every user's ticket to the service. No header is created from a purged ticket after this returns.</summary>
    /// <param name="service">The service, as requested.</param>
    /// <returns>The number of removed entries.</returns>
    public int Purge(ServicePrincipalName service)
    {
        ArgumentNullException.ThrowIfNull(service);
        return _store.Purge(key => service.Equals(key.Service));
    }

    /// <summary>Removes all tickets, including the account's own. No header is created from a purged ticket after this returns.</summary>
    /// <returns>The number of removed entries.</returns>
    public int PurgeAll() => _store.Purge(static _ => true);

    /// <summary>Stops renewals, waits for running exchanges, then zeroes every key. Later calls throw
    /// <see cref="ObjectDisposedException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await _dispatcher.DisposeAsync().ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
        _limits.Dispose();
    }

    private ValueTask<ServiceTicket> TransitionAsync(
        TicketKey key, KerberosPrincipal user, ServicePrincipalName service, CancellationToken cancellationToken) =>
        RequestAsync(key, new DelegationRequest(user, service, null), cancellationToken);

    private ValueTask<ServiceTicket> PassOnAsync(
        TicketKey key, AcceptedUser user, ServicePrincipalName service, CancellationToken cancellationToken) =>
        RequestAsync(key, new DelegationRequest(user.Principal, service, user), cancellationToken);

    private TicketKey GetKey(DelegationRequest request) =>
        new TicketKey(TicketKind.Service, _account, request.User, request.Service, request.Presented?.Origin
            ?? EvidenceOrigin.ProtocolTransition);

    private async ValueTask<ServiceTicket> RequestAsync(TicketKey key, DelegationRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await _store.GetOrAddAsync(key, token => DelegateAsync(request, token), cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error) when (error.User is null || error.Service is null)
        {
            throw error.InContext(new KerberosFailure { User = request.User, Service = request.Service });
        }
    }

    /// <summary>Runs the steps of a delegation. Repeats them once with new tickets if a KDC no longer accepts cached ones.</summary>
    private async Task<ServiceTicket> DelegateAsync(DelegationRequest request, CancellationToken cancellationToken)
    {
        // In this order: the evidence may have needed a new TGT.
        var evidence = await GetEvidenceAsync(request, cancellationToken).ConfigureAwait(false);
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
            _store.Drop(TicketKey.Self(_account, request.User), evidence);
            if (!tgt.IsForwardable)
                _store.Drop(TicketKey.Tgt(_account), tgt);
            throw;
        }
        catch (KerberosException error) when (StaleTickets.AreIndicatedBy(error) || StaleTickets.EvidenceIsIndicatedBy(error))
        {
            if (StaleTickets.AreIndicatedBy(error))
                DropStale(error, tgt);
            else if (request.Presented is not null && !await RenewTgtAsync(error, tgt, wasCached, cancellationToken).ConfigureAwait(false))
                throw;
            // With cached evidence, the S4U2Self exchange shows whether the TGT is stale as well.
            _store.Drop(TicketKey.Self(_account, request.User), evidence);
            evidence = await GetEvidenceAsync(request, cancellationToken).ConfigureAwait(false);
            (tgt, _) = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
            ticket = await _proxy.RequestAsync(tgt, evidence.Ticket, request.Service, cancellationToken).ConfigureAwait(false);
        }
        return new ServiceTicket(ticket, request, evidence.SecurityIdentifier, _clock);
    }

    private Task<UserEvidence> GetEvidenceAsync(DelegationRequest request, CancellationToken cancellationToken)
    {
        if (request.Presented is not { } presented)
        {
            var key = TicketKey.Self(_account, request.User);
            return _store.GetOrAddNestedAsync(key, token => RequestEvidenceAsync(request.User, token), cancellationToken);
        }
        // A KDC would refuse it with an error that could mean the account's own ticket as well.
        if (presented.EndTime <= _clock.Now)
        {
            throw new KerberosException(new KerberosFailure
            {
                Code = KerberosErrorCode.TicketExpired,
                Exchange = KerberosExchange.S4U2Proxy,
                User = request.User,
                Service = request.Service,
                Account = _account,
                Detail = $"the ticket that the user presented ended at {presented.EndTime:u}; the user must present a new one",
            });
        }
        return Task.FromResult(new UserEvidence(presented.Evidence, null));
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
            _store.Drop(TicketKey.Tgt(_account), tgt);
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
        var key = TicketKey.Tgt(_account);
        return _store.TryGet<IssuedTicket>(key, out var cached)
            ? (cached, true)
            : (await _store.GetOrAddNestedAsync(key, _logOn.RequestAsync, cancellationToken).ConfigureAwait(false), false);
    }

    /// <summary>Replaces a cached TGT after a generic error, at most once a minute. The old one stays until the new one arrives.</summary>
    private async Task<bool> RenewTgtAsync(KerberosException error, IssuedTicket tgt, bool wasCached, CancellationToken cancellationToken)
    {
        if (!wasCached || !StaleTickets.IndicatesStaleTgt(error, CrossRealmTgt.GetRealm(tgt)))
            return false;
        var renewed = await _store.ReplaceAsync(TicketKey.Tgt(_account), tgt, _logOn.RequestAsync, isNested: true, cancellationToken)
            .ConfigureAwait(false);
        if (renewed is not null)
            ExchangeLog.CachedTicketRefused(_logger, error.Realm, error.Code);
        return renewed is not null;
    }

    private void DropStale(KerberosException error, IssuedTicket tgt)
    {
        ExchangeLog.CachedTicketRefused(_logger, error.Realm, error.Code);
        _store.Drop(TicketKey.Tgt(_account), tgt);
    }
}
