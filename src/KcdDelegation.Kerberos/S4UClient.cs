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

/// <summary>Gets service tickets in users' names by protocol transition and constrained delegation (MS-SFU): the account's ticket-granting
/// ticket, a ticket to the account itself in the user's name (S4U2Self), and with it one to the target (S4U2Proxy), each through
/// the cache. One per delegating account and process. Thread-safe. Does not own the account, logger factory or time provider.</summary>
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

    /// <summary>Reads the options; speaks to no KDC yet.</summary>
    /// <exception cref="ArgumentException">An option is missing or out of range; the message names it.</exception>
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
        (_logOn, _self, _proxy, _acceptor) = (new AccountLogOn(context), new S4U2SelfExchange(context), new S4U2ProxyExchange(context), new TokenAcceptor(context));
    }

    /// <summary>Logs the account on if it is not; used by health checks and to fail at start rather than at the first user.</summary>
    /// <exception cref="KerberosException">The KDC refused the account, or none answered.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public async ValueTask LogOnAsync(CancellationToken cancellationToken = default) =>
        await _store.GetOrAddAsync(TicketKey.Tgt(_account), _logOn.RequestAsync, cancellationToken).ConfigureAwait(false);

    /// <summary>S4U2Self and S4U2Proxy, from the cache where possible. Cancels this wait only, never an exchange that others share.</summary>
    /// <param name="user">Whom to act as.</param>
    /// <param name="service">The target; one of the account's delegation list, or one whose own list has the account.</param>
    /// <param name="cancellationToken">Of this caller.</param>
    /// <exception cref="KerberosException">A KDC refused, none answered, or a reply failed its checks.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public ValueTask<ServiceTicket> GetTicketAsync(KerberosPrincipal user, ServicePrincipalName service, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(service);
        var key = TicketKey.Proxy(_account, user, service, EvidenceOrigin.ProtocolTransition);
        // A hit allocates nothing: what a miss needs is made in a method of its own.
        return _store.TryGet<ServiceTicket>(key, out var held) ? ValueTask.FromResult(held) : TransitionAsync(key, user, service, cancellationToken);
    }

    /// <summary>S4U2Proxy without protocol transition, on a ticket that the user presented; from the cache where possible.</summary>
    /// <param name="user">From <see cref="AcceptAsync"/> of this client.</param>
    /// <param name="service">The target.</param>
    /// <param name="cancellationToken">Of this caller.</param>
    /// <exception cref="KerberosException">A KDC refused, none answered, or a reply failed its checks.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public ValueTask<ServiceTicket> GetTicketAsync(AcceptedUser user, ServicePrincipalName service, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(service);
        var key = TicketKey.Proxy(_account, user.Principal, service, user.Origin);
        return _store.TryGet<ServiceTicket>(key, out var held) ? ValueTask.FromResult(held) : PassOnAsync(key, user, service, cancellationToken);
    }

    /// <summary>Opens a GSS krb5 token (RFC 4121 §4.1, without SPNEGO around it) that a client presented to the account, with the
    /// account's key: ticket, authenticator, times, replay.</summary>
    /// <param name="token">The token's bytes.</param>
    /// <param name="cancellationToken">Of this caller.</param>
    /// <exception cref="KerberosException">The token is refused (<see cref="KerberosFailureReason.TokenRejected"/>), or the account's key
    /// is known only after a log-on, which failed.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public async ValueTask<AcceptedUser> AcceptAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken = default)
    {
        try
        {
            return _acceptor.Accept(token);
        }
        catch (KerberosException error) when (error.Code == KerberosErrorCode.NoKey)
        {
            // The key of a password is made with a salt that only the KDC knows.
            await LogOnAsync(cancellationToken).ConfigureAwait(false);
            return _acceptor.Accept(token);
        }
    }

    private ValueTask<ServiceTicket> TransitionAsync(TicketKey key, KerberosPrincipal user, ServicePrincipalName service, CancellationToken cancellationToken) =>
        RequestAsync(key, user, service, token => GetEvidenceAsync(user, token), cancellationToken);

    private ValueTask<ServiceTicket> PassOnAsync(TicketKey key, AcceptedUser user, ServicePrincipalName service, CancellationToken cancellationToken)
    {
        // A KDC would refuse it, in words that could as well mean the account's own ticket.
        if (user.EndTime <= _clock.Now)
        {
            return ValueTask.FromException<ServiceTicket>(new KerberosException(new KerberosFailure
            {
                Code = KerberosErrorCode.TicketExpired,
                Exchange = KerberosExchange.S4U2Proxy,
                User = user.Principal,
                Service = service,
                Account = _account,
                Detail = $"the ticket that the user presented ended at {user.EndTime:u}: he must present a new one",
            }));
        }
        var evidence = new UserEvidence(user.Evidence, null);
        return RequestAsync(key, user.Principal, service, _ => Task.FromResult(evidence), cancellationToken);
    }

    private async ValueTask<ServiceTicket> RequestAsync(TicketKey key, KerberosPrincipal user, ServicePrincipalName service, Func<CancellationToken, Task<UserEvidence>> getEvidence, CancellationToken cancellationToken)
    {
        try
        {
            return await _store.GetOrAddAsync(key, token => DelegateAsync(user, service, getEvidence, token), cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error) when (error.User is null || error.Service is null)
        {
            throw error.InContext(new KerberosFailure { User = user, Service = service });
        }
    }

    /// <summary>The three steps; once more with new tickets if a KDC no longer takes those that were cached.</summary>
    private async Task<ServiceTicket> DelegateAsync(KerberosPrincipal user, ServicePrincipalName service, Func<CancellationToken, Task<UserEvidence>> getEvidence, CancellationToken cancellationToken)
    {
        // In this order: the evidence may have cost a new TGT.
        var evidence = await getEvidence(cancellationToken).ConfigureAwait(false);
        var tgt = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
        IssuedTicket ticket;
        try
        {
            ticket = await _proxy.RequestAsync(tgt, evidence.Ticket, service, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error) when (error.Reason is KerberosFailureReason.EvidenceNotForwardable or KerberosFailureReason.AccountNotForwardable)
        {
            // Whoever follows the remedy changes the account or the user: what was issued before would be refused for the rest of its life.
            _store.Drop(TicketKey.Self(_account, user), evidence);
            if (!tgt.IsForwardable)
                _store.Drop(TicketKey.Tgt(_account), tgt);
            throw;
        }
        catch (KerberosException error) when (StaleTickets.AreIndicatedBy(error) || StaleTickets.EvidenceIsIndicatedBy(error))
        {
            if (StaleTickets.AreIndicatedBy(error))
                DropStale(error, tgt);
            _store.Drop(TicketKey.Self(_account, user), evidence);
            evidence = await getEvidence(cancellationToken).ConfigureAwait(false);
            tgt = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
            ticket = await _proxy.RequestAsync(tgt, evidence.Ticket, service, cancellationToken).ConfigureAwait(false);
        }
        return new ServiceTicket(ticket, service, evidence.SecurityIdentifier, _clock, user);
    }

    private Task<UserEvidence> GetEvidenceAsync(KerberosPrincipal user, CancellationToken cancellationToken) =>
        _store.GetOrAddNestedAsync(TicketKey.Self(_account, user), token => RequestEvidenceAsync(user, token), cancellationToken);

    private async Task<UserEvidence> RequestEvidenceAsync(KerberosPrincipal user, CancellationToken cancellationToken)
    {
        var tgt = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
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
            tgt = await GetTgtAsync(cancellationToken).ConfigureAwait(false);
            return await _self.RequestAsync(tgt, user, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task<IssuedTicket> GetTgtAsync(CancellationToken cancellationToken) =>
        _store.GetOrAddNestedAsync(TicketKey.Tgt(_account), _logOn.RequestAsync, cancellationToken);

    private void DropStale(KerberosException error, IssuedTicket tgt)
    {
        ExchangeLog.CachedTicketRefused(_logger, error.Realm, error.Code);
        _store.Drop(TicketKey.Tgt(_account), tgt);
    }

    /// <summary>Drops every ticket of the user. No header is made from a purged ticket after this returns.</summary>
    /// <param name="user">As it was asked for.</param>
    /// <returns>The number of entries dropped.</returns>
    public int Purge(KerberosPrincipal user)
    {
        ArgumentNullException.ThrowIfNull(user);
        return _store.Purge(key => user.Equals(key.User));
    }

    /// <summary>Drops every user's ticket to the service. No header is made from a purged ticket after this returns.</summary>
    /// <param name="service">As it was asked for.</param>
    /// <returns>The number of entries dropped.</returns>
    public int Purge(ServicePrincipalName service)
    {
        ArgumentNullException.ThrowIfNull(service);
        return _store.Purge(key => service.Equals(key.Service));
    }

    /// <summary>Drops everything, the account's own ticket included. No header is made from a purged ticket after this returns.</summary>
    /// <returns>The number of entries dropped.</returns>
    public int PurgeAll() => _store.Purge(static _ => true);

    /// <summary>Stops renewals, waits for the exchanges under way, then drops and zeroes every key. Calls after it throw
    /// <see cref="ObjectDisposedException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await _dispatcher.DisposeAsync().ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
        _limits.Dispose();
    }
}
