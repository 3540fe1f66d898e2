using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.PasswordChange;
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
    private readonly KdcDispatcher _dispatcher;
    private readonly RealmConcurrencyLimits _limits;
    private readonly TicketStore _store;
    private readonly DelegationSteps _steps;
    private readonly ExchangeContext _context;
    private readonly KdcProbe _probe;
    private readonly TokenAcceptor _acceptor;

    /// <summary>Creates a client. No KDC is contacted yet.</summary>
    /// <exception cref="ArgumentException">An option is missing or out of range. The message names it.</exception>
    public S4UClient(S4UClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        S4UClientOptionsRules.ThrowIfInvalid(options);
        _account = options.Account.Name;
        _clock = new KdcClock(options.TimeProvider);
        var logger = options.LoggerFactory?.CreateLogger<S4UClient>() ?? NullLogger<S4UClient>.Instance;
        _dispatcher = KdcDispatcher.Create(options.Kdcs, options.TimeProvider, logger);
        _limits = new RealmConcurrencyLimits(options.Realm, options.Cache.MaxConcurrentExchanges, options.Cache.MaxQueuedExchanges);
        _store = new TicketStore(options.Cache, options.Timeout, _clock, logger);
        var context = new ExchangeContext
        {
            Realm = options.Realm,
            Account = options.Account,
            EncryptionTypes = [.. options.EncryptionTypes],
            MaxClockCorrection = options.MaxClockCorrection,
            Clock = _clock,
            Dispatcher = _dispatcher,
            Limits = _limits,
            Logger = logger,
            Recorder = options.Recorder,
        };
        if (Md5.IsRefused)
            ExchangeLog.Md5Refused(logger);
        _context = context;
        _steps = new DelegationSteps(context, _store);
        _probe = new KdcProbe(context);
        _acceptor = new TokenAcceptor(context);
        Roller = PasswordRoller.Create(context, [.. options.PasswordServers], options.Kdcs);
        Roller?.Start();
    }

    /// <summary>Gets the roller of the account's password, or null if the account does not change its own password.</summary>
    internal PasswordRoller? Roller { get; }

    /// <summary>Gets the KDC's time minus this machine's time at the last log-on; null before the first one.</summary>
    /// <remarks>The value comes from an authenticated reply, in whole seconds. The client corrects for the offset itself; backends and
    /// token issuers do not.</remarks>
    public TimeSpan? ClockOffset => _clock.MeasuredOffset;

    /// <summary>Asks the KDCs of the account's realm for an answer, without proving the account's key. Use it in health checks.</summary>
    /// <remarks>The request is an AS-REQ without pre-authentication, which never counts towards a lock-out. A refusal is an answer
    /// too.</remarks>
    /// <exception cref="KerberosException">No KDC of the realm is known, or none answered.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public ValueTask ProbeKdcAsync(CancellationToken cancellationToken = default) => _probe.SendAsync(cancellationToken);

    /// <summary>Logs the account on, unless it is logged on already. Use it in health checks and at the start of a host.</summary>
    /// <exception cref="KerberosException">The KDC refused the account, or none answered.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public async ValueTask LogOnAsync(CancellationToken cancellationToken = default) =>
        await _steps.LogOnAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Changes the password of an account from <see cref="ServiceAccount.FromRollingPasswordFile"/> now, or continues an
    /// interrupted change.</summary>
    /// <returns>False if another process or client is changing it.</returns>
    /// <exception cref="InvalidOperationException">The account does not change its own password.</exception>
    /// <exception cref="KerberosException">The password was not changed, or the change is not confirmed yet. Log-on still works with the
    /// passwords that are stored.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled, or the client was disposed.</exception>
    public async ValueTask<bool> RollPasswordAsync(CancellationToken cancellationToken = default) => Roller is null
        ? throw new InvalidOperationException(
            $"The account {_account} does not change its own password. Create it with {nameof(ServiceAccount.FromRollingPasswordFile)}.")
        : await Roller.RollAsync(isRequested: true, cancellationToken).ConfigureAwait(false);

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

    /// <summary>Gets the account's own ticket to a service, from the cache if possible. No user is involved: the service sees the
    /// account.</summary>
    /// <param name="service">The service, such as <c>ldap/dc1.contoso.com</c>. Its realm is found by referrals.</param>
    /// <param name="cancellationToken">Cancels this wait, but not an exchange that other callers share.</param>
    /// <exception cref="KerberosException">A KDC refused, none answered, or a reply failed its checks.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public async ValueTask<ServiceTicket> GetAccountTicketAsync(
        ServicePrincipalName service, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(service);
        var key = TicketKey.Own(_account, service);
        return await _store.GetOrAddAsync(key, token => _steps.GetAccountTicketAsync(service, token), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Replaces a cached ticket of a user or of the account that the service refused, for example after the service's key changed.
    /// At most one replacement per user, service and minute.</summary>
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
        if (!ReferenceEquals(refused.Clock, _clock) || (refused.Request is null && !refused.IsOfAccount))
            throw new ArgumentException("The ticket is from another client.", nameof(refused));
        if (refused.Request is not { } request)
        {
            return await _store.ReplaceAsync(
                TicketKey.Own(_account, refused.Service), refused, token => _steps.GetAccountTicketAsync(refused.Service, token),
                isNested: false, cancellationToken).ConfigureAwait(false);
        }
        try
        {
            var replacement = _store.ReplaceAsync(
                GetKey(request), refused, token => _steps.DelegateAsync(request, token), isNested: false, cancellationToken);
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

    /// <summary>Gets the account's own ticket-granting ticket, from the cache if possible. For diagnosis.</summary>
    internal Task<IssuedTicket> GetTicketGrantingTicketAsync(CancellationToken cancellationToken) => _steps.LogOnAsync(cancellationToken);

    /// <summary>Gets the user's ticket to the account (S4U2Self), from the cache if possible. For diagnosis.</summary>
    internal Task<UserEvidence> GetEvidenceAsync(KerberosPrincipal user, CancellationToken cancellationToken) =>
        _steps.GetEvidenceAsync(user, cancellationToken);

    /// <summary>Finds the KDCs of a realm as an exchange does: in the options, krb5.conf and DNS. For diagnosis.</summary>
    internal ValueTask<IReadOnlyList<KdcEndpoint>> FindKdcsAsync(string realm, CancellationToken cancellationToken) =>
        _dispatcher.FindKdcsAsync(realm, cancellationToken);

    /// <summary>Asks one KDC of the account's realm without proving a key. For diagnosis.</summary>
    /// <exception cref="KerberosException">The KDC cannot be reached, or its answer is malformed.</exception>
    internal Task<KdcAnswer> AskKdcAsync(
        KdcEndpoint kdc, KdcTransport transport, TimeSpan timeout, CancellationToken cancellationToken) =>
        new KdcInquiry(_context).AskAsync(kdc, transport, timeout, cancellationToken);

    /// <summary>Adds the names of the account, the realm that is asked and the implementation of its KDC, as far as it is known.</summary>
    internal KerberosFailure Describe(KerberosFailure subject, string realm) => _context.Describe(subject, realm);

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
        if (Roller is not null)
            await Roller.DisposeAsync().ConfigureAwait(false);
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
            return await _store.GetOrAddAsync(key, token => _steps.DelegateAsync(request, token), cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error) when (error.User is null || error.Service is null)
        {
            throw error.InContext(new KerberosFailure { User = request.User, Service = request.Service });
        }
    }
}
