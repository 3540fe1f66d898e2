using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Http;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Lifetime;
using KcdDelegation.Settings;
using KcdDelegation.Telemetry;
using KcdDelegation.Tickets;
using KcdDelegation.Token;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KcdDelegation;

/// <summary>The main entry point: validates tokens, maps callers to Kerberos identities, and gets tickets and <c>Authorization</c> values
/// for them. Register it as a singleton. Thread-safe.</summary>
/// <remarks>The client follows changes of its options. Options that do not validate are logged, and the last valid options stay in
/// force.</remarks>
public sealed class DelegationClient : IAsyncDisposable, IDelegationSource
{
    private readonly SettingsStore _settings;
    private readonly GuardedMapper _mapper;
    private readonly CurrentTokenValidator _tokens;
    private readonly ServiceClients _clients;
    private readonly DeferredDisposal _retirement;
    private readonly ReplacedApplications _replaced = new();
    private readonly AuthorizationTemplateCache _templates;
    private readonly ILogger _logger;
    private readonly ILogger _audit;
    private readonly AccountLogOns _logOns;
    private readonly TimeProvider _timeProvider;

    internal DelegationClient(SettingsStore settings, IIdentityMapper mapper, ILoggerFactory loggerFactory, TimeProvider timeProvider)
    {
        (_settings, _mapper, _timeProvider) = (settings, new GuardedMapper(mapper), timeProvider);
        _logger = loggerFactory.CreateLogger(Log.Category);
        _audit = loggerFactory.CreateLogger(Log.AuditCategory);
        _logOns = new AccountLogOns(_logger, _audit);
        _retirement = new DeferredDisposal(timeProvider);
        _templates = new AuthorizationTemplateCache(settings.Current.Limits.MaxBytes);
        _tokens = new CurrentTokenValidator(settings, _retirement, _logger, timeProvider);
        _clients = new ServiceClients(_retirement, loggerFactory, timeProvider);
        _settings.Subscribe(Apply);
    }

    /// <summary>Creates a client without a dependency injection container. Its options never change.</summary>
    /// <param name="options">The options. They are read once.</param>
    /// <param name="loggerFactory">The logger factory; null disables logging.</param>
    /// <param name="timeProvider">The time source; null uses the system's clock.</param>
    /// <exception cref="OptionsValidationException">The options are not valid. The message lists every error by configuration
    /// key.</exception>
    public static DelegationClient Create(KcdOptions options, ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var settings = new SettingsStore(options, loggerFactory);
        return new DelegationClient(
            settings, new ClaimsIdentityMapper(), loggerFactory ?? NullLoggerFactory.Instance, timeProvider ?? TimeProvider.System);
    }

    /// <summary>Gets a credential for the caller at an application. Every delegated request uses this method.</summary>
    /// <param name="application">The application's name in the options.</param>
    /// <param name="caller">The authenticated user to delegate, from <see cref="ValidateTokenAsync"/> or from the host.</param>
    /// <param name="cancellationToken">Cancels this wait. An exchange that other callers wait for continues.</param>
    /// <exception cref="KcdException">The caller may not be delegated, or there is no ticket. The message states the cause and the
    /// remedy.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public async ValueTask<DelegatedCredential> GetCredentialAsync(
        string application, ClaimsPrincipal caller, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var settings = GetApplication(application);
        try
        {
            return await DelegateAsync(settings, caller, cancellationToken).ConfigureAwait(false);
        }
        catch (KcdException refusal)
        {
            Log.Refused(_audit, settings.Name, caller, refusal);
            throw;
        }
    }

    /// <summary>Maps the caller and gets the ticket.</summary>
    /// <remarks>The caller of this method logs a failure, because <see cref="KcdHandler"/> logs further ones in the same way.</remarks>
    private async ValueTask<DelegatedCredential> DelegateAsync(
        ApplicationSettings application, ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        KerberosPrincipal user;
        using (var span = DelegationSpan.Start(
            DelegationSpan.Mapping, DelegationSpan.IdentityStage, application.Name, application.Client.Realm, application.Service))
        {
            try
            {
                user = await _mapper.MapAsync(caller, application.Callers, application.Mapping, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                span.Fail(error);
                throw;
            }
        }
        var (ticket, isFromCache) = await GetTicketAsync(application, user, cancellationToken).ConfigureAwait(false);
        Log.IdentityUsed(_audit, application.Name, caller, user, ticket);
        return new DelegatedCredential(ticket, _templates, application.MutualAuthentication, isFromCache);
    }

    /// <summary>Validates a token of the kind that <see cref="TokenOptions.Kind"/> names, and returns its principal. The claims keep the
    /// names that they have in the token.</summary>
    /// <param name="token">A JWT in compact form, without the prefix <c>Bearer</c>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="KcdException">The token is not accepted, no issuer is configured, or the issuer's keys cannot be
    /// loaded.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public ValueTask<ClaimsPrincipal> ValidateTokenAsync(string token, CancellationToken cancellationToken = default) =>
        ValidateAsync(AsText(token), kind: null, nonce: null, cancellationToken);

    /// <summary>Validates an access token, whatever <see cref="TokenOptions.Kind"/> is. Use it for bearer authentication.</summary>
    /// <param name="token">A JWT in compact form, without the prefix <c>Bearer</c>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="KcdException">The token is not accepted, no issuer is configured, or the issuer's keys cannot be
    /// loaded.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public ValueTask<ClaimsPrincipal> ValidateAccessTokenAsync(string token, CancellationToken cancellationToken = default) =>
        ValidateAccessTokenAsync(AsText(token), cancellationToken);

    /// <summary>Validates the ID token of a sign-in, whatever <see cref="TokenOptions.Kind"/> is.</summary>
    /// <remarks>The audience is <see cref="TokenOptions.ClientId"/>, and <c>azp</c> must be the same client if it is present. The
    /// authentication type of the principal is <c>IdToken</c>, which marks a caller who needs no scopes. Cookies keep it.</remarks>
    /// <param name="token">The <c>id_token</c> of the issuer's response.</param>
    /// <param name="nonce">The value that this sign-in sent to the issuer; null if the host compares it with the claim <c>nonce</c>
    /// itself.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="KcdException">The token is not accepted, no issuer is configured, or the issuer's keys cannot be
    /// loaded.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public ValueTask<ClaimsPrincipal> ValidateIdTokenAsync(string token, string? nonce, CancellationToken cancellationToken = default) =>
        ValidateAsync(AsText(token), TokenKind.IdToken, nonce, cancellationToken);

    /// <summary>Returns the identity that would be delegated. No KDC is contacted.</summary>
    /// <param name="application">The application's name in the options.</param>
    /// <param name="caller">The user to delegate.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="KcdException">The caller may not be delegated, or there is no such application.</exception>
    public async ValueTask<KerberosPrincipal> MapAsync(
        string application, ClaimsPrincipal caller, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var settings = GetApplication(application);
        try
        {
            return await _mapper.MapAsync(caller, settings.Callers, settings.Mapping, cancellationToken).ConfigureAwait(false);
        }
        catch (KcdException refusal)
        {
            Log.Refused(_audit, settings.Name, caller, refusal);
            throw;
        }
    }

    /// <summary>Logs on every delegating account that is not logged on yet.</summary>
    /// <remarks>Use it in health checks, and at the start to detect a failure before the first user does. Every account is tried; the
    /// exception has the first failure. Only a change is logged: a failure that the previous call did not have, and its end.</remarks>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="KcdException">A KDC refused an account, or none answered.</exception>
    public async ValueTask LogOnAsync(CancellationToken cancellationToken = default)
    {
        KcdException? first = null;
        foreach (var client in _settings.Current.Applications.Values.Select(application => application.Client).Distinct())
        {
            try
            {
                await _clients.Get(client).LogOnAsync(cancellationToken).ConfigureAwait(false);
                _logOns.Succeeded(client.Realm, client.AccountName);
            }
            catch (KerberosException error)
            {
                var refusal = KcdException.Explain(error);
                _logOns.Failed(client.Realm, client.AccountName, refusal);
                first ??= refusal;
            }
        }
        if (first is not null)
            throw first;
    }

    /// <summary>Drops the caller's tickets for every application and account. Use it at sign-out. No header is created from these tickets
    /// after this method returns.</summary>
    /// <remarks>Tickets of applications and settings that were replaced by a reload are included. A ticket that an exchange is about to get
    /// is discarded; a request that still waits for it gets a new one.</remarks>
    /// <param name="caller">The user who signs out, with the claims that were used for delegation.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The number of tickets dropped.</returns>
    /// <exception cref="KcdException">The caller could not be mapped for an application because of a transient failure, so tickets for it
    /// may remain. The others were dropped.</exception>
    public async ValueTask<int> PurgeAsync(ClaimsPrincipal caller, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var users = new HashSet<KerberosPrincipal>();
        KcdException? failure = null;
        foreach (var application in _settings.Current.Applications.Values.Concat(_replaced.All))
        {
            try
            {
                users.Add(await _mapper.MapAsync(caller, application.Callers, application.Mapping, cancellationToken)
                    .ConfigureAwait(false));
            }
            catch (KcdException refusal)
            {
                // Without an identity for this application the caller has no ticket for it.
                if (refusal.IsTransient)
                    failure = refusal;
            }
        }
        var dropped = LogPurge("a user", _clients.Purge(client => users.Sum(client.Purge)));
        return failure is null ? dropped : throw failure;
    }

    /// <summary>Drops every ticket of a user of the directory, for every application and account. No header is created from these tickets
    /// after this method returns.</summary>
    /// <remarks>Use it when a user was disabled. The cache knows users by the names under which tickets were requested, such as
    /// <see cref="MapAsync"/> returns them.</remarks>
    /// <param name="user">The user, as requested.</param>
    /// <returns>The number of tickets dropped.</returns>
    public int Purge(KerberosPrincipal user)
    {
        ArgumentNullException.ThrowIfNull(user);
        return LogPurge("a user", _clients.Purge(client => client.Purge(user)));
    }

    /// <summary>Drops every user's ticket to an application. Use it when the key of its service has changed. No header is created from
    /// these tickets after this method returns.</summary>
    /// <remarks>Applications with the same service principal name share their tickets. The evidence of users, which serves all
    /// applications, stays.</remarks>
    /// <param name="application">The application's name in the options, or one that a reload has removed.</param>
    /// <returns>The number of tickets dropped.</returns>
    /// <exception cref="KcdException">There is no such application.</exception>
    public int PurgeApplication(string application)
    {
        ArgumentNullException.ThrowIfNull(application);
        var services = _replaced.All.Where(replaced => string.Equals(replaced.Name, application, StringComparison.OrdinalIgnoreCase))
            .Select(replaced => replaced.Service).ToHashSet();
        if (services.Count == 0 || _settings.Current.Applications.ContainsKey(application))
            services.Add(GetApplication(application).Service);
        return LogPurge("an application", _clients.Purge(client => services.Sum(client.Purge)));
    }

    /// <summary>Drops all tickets, including those of the delegating accounts, which log on again for the next request. No header is
    /// created from these tickets after this method returns.</summary>
    /// <returns>The number of tickets dropped.</returns>
    public int PurgeAll() => LogPurge("all users", _clients.Purge(static client => client.PurgeAll()));

    /// <summary>Waits for pending exchanges, then drops every ticket and zeroes every key.</summary>
    public async ValueTask DisposeAsync()
    {
        _settings.Dispose();
        _tokens.Dispose();
        await _clients.DisposeAsync().ConfigureAwait(false);
        await _retirement.DisposeAsync().ConfigureAwait(false);
    }

    ILogger IDelegationSource.Logger => _logger;

    ILogger IDelegationSource.Audit => _audit;

    TimeProvider IDelegationSource.TimeProvider => _timeProvider;

    ApplicationSettings IDelegationSource.GetApplication(string name) => GetApplication(name);

    ValueTask<DelegatedCredential> IDelegationSource.DelegateAsync(
        ApplicationSettings application, ClaimsPrincipal caller, CancellationToken cancellationToken) =>
        DelegateAsync(application, caller, cancellationToken);

    /// <summary>Validates an access token that is part of a longer text. A token that is remembered is not copied.</summary>
    /// <exception cref="KcdException">The token is not accepted, no issuer is configured, or the issuer's keys cannot be
    /// loaded.</exception>
    internal ValueTask<ClaimsPrincipal> ValidateAccessTokenAsync(ReadOnlyMemory<char> token, CancellationToken cancellationToken) =>
        ValidateAsync(token, TokenKind.AccessToken, nonce: null, cancellationToken);

    /// <summary>Gets the settings in force of all applications.</summary>
    internal IReadOnlyCollection<ApplicationSettings> Applications => _settings.Current.Applications.Values;

    /// <summary>Gets the engine client of an account. A health check uses it, because its repeated failures are no audit events.</summary>
    internal S4UClient GetEngine(ClientSettings settings) => _clients.Get(settings);

    async ValueTask<DelegatedCredential?> IDelegationSource.ReplaceAsync(
        ApplicationSettings application, DelegatedCredential refused, CancellationToken cancellationToken)
    {
        try
        {
            var ticket = await _clients.Get(application.Client).ReplaceTicketAsync(refused.Ticket, cancellationToken).ConfigureAwait(false);
            return ticket is null ? null : new DelegatedCredential(ticket, _templates, application.MutualAuthentication);
        }
        catch (KerberosException error)
        {
            throw KcdException.Explain(error);
        }
        catch (Exception error) when (error is ArgumentException or ObjectDisposedException)
        {
            // Changed settings have replaced the client of the ticket since the request began. The next request uses the new client.
            return null;
        }
    }

    /// <summary>Gets the settings in force of an application.</summary>
    /// <exception cref="KcdException">There is no such application (13020).</exception>
    internal ApplicationSettings GetApplication(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (_settings.Current.Applications.TryGetValue(name, out var application))
            return application;
        var refusal = new DelegationFailure(
            KcdStage.Delegation,
            KcdErrorKind.Configuration, KcdEventId.NoServicePrincipalName,
            $"No application {PrintableText.Quoted(name)} is configured, so there is no service principal name to request a ticket for.",
            "Add it under Kcd:Applications, or correct the name that was passed to the client or handler.").ToException();
        Log.Refused(_audit, refusal);
        throw refusal;
    }

    /// <summary>Prepares for changed settings, before they take effect.</summary>
    private void Apply(KcdSettings settings)
    {
        _replaced.Add(_settings.Current, settings);
        _clients.Apply(settings);
        _templates.SetMaxBytes(settings.Limits.MaxBytes);
    }

    private int LogPurge(string owner, int dropped)
    {
        Log.TicketsPurged(_audit, dropped, owner);
        return dropped;
    }

    private static ReadOnlyMemory<char> AsText(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return token.AsMemory();
    }

    private async ValueTask<ClaimsPrincipal> ValidateAsync(
        ReadOnlyMemory<char> token, TokenKind? kind, string? nonce, CancellationToken cancellationToken)
    {
        using var span = DelegationSpan.Start(
            DelegationSpan.Token, DelegationSpan.IdentityStage, application: null, realm: null, service: null);
        try
        {
            return await _tokens.ValidateAsync(token, kind, nonce, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            span.Fail(error);
            if (error is KcdException refusal)
                Log.Refused(_audit, refusal);
            throw;
        }
    }

    /// <summary>Gets the ticket, and whether it was in the cache.</summary>
    private async ValueTask<(ServiceTicket Ticket, bool IsFromCache)> GetTicketAsync(
        ApplicationSettings application, KerberosPrincipal user, CancellationToken cancellationToken)
    {
        using var span = DelegationSpan.Start(
            DelegationSpan.Ticket, DelegationSpan.DelegationStage, application.Name, application.Client.Realm, application.Service);
        try
        {
            var ticket = _clients.Get(application.Client).GetTicketAsync(user, application.Service, cancellationToken);
            // An exchange runs on the thread pool, so only a ticket in the cache is there at once.
            var isFromCache = ticket.IsCompleted;
            return (await ticket.ConfigureAwait(false), isFromCache);
        }
        catch (KerberosException error)
        {
            var refusal = KcdException.Explain(error);
            span.Fail(refusal);
            throw refusal;
        }
        catch (Exception error)
        {
            span.Fail(error);
            throw;
        }
    }
}
