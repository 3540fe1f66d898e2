using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Http;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Lifetime;
using KcdDelegation.Settings;
using KcdDelegation.Tickets;
using KcdDelegation.Token;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KcdDelegation;

/// <summary>START HERE. Token or principal, then identity, then ticket, then header. A singleton, thread-safe. It follows its options while it
/// runs: a change that does not validate is logged, and the last good options stay in force.</summary>
public sealed class DelegationClient : IAsyncDisposable, IDelegationSource
{
    private readonly SettingsStore _settings;
    private readonly GuardedMapper _mapper;
    private readonly CurrentTokenValidator _tokens;
    private readonly ServiceClients _clients;
    private readonly DeferredDisposal _retirement;
    private readonly AuthorizationTemplateCache _templates = new();
    private readonly ILogger _logger;
    private readonly ILogger _audit;
    private readonly TimeProvider _timeProvider;

    internal DelegationClient(SettingsStore settings, IIdentityMapper mapper, ILoggerFactory loggerFactory, TimeProvider timeProvider)
    {
        (_settings, _mapper, _timeProvider) = (settings, new GuardedMapper(mapper), timeProvider);
        _logger = loggerFactory.CreateLogger(Log.Category);
        _audit = loggerFactory.CreateLogger(Log.AuditCategory);
        _retirement = new DeferredDisposal(timeProvider);
        _tokens = new CurrentTokenValidator(settings, _retirement, _logger, timeProvider);
        _clients = new ServiceClients(_retirement, loggerFactory, timeProvider);
        _settings.Follow(_clients.Follow);
    }

    /// <summary>Makes an authenticator without a container. Its options never change.</summary>
    /// <param name="options">Read once.</param>
    /// <param name="loggerFactory">Where it logs; null: nowhere.</param>
    /// <param name="timeProvider">Its clock; null: the system's.</param>
    /// <exception cref="OptionsValidationException">The options are wrong; it lists everything that is, by configuration key.</exception>
    public static DelegationClient Create(KcdOptions options, ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var settings = new SettingsStore(options);
        return new DelegationClient(settings, new ClaimsIdentityMapper(), loggerFactory ?? NullLoggerFactory.Instance, timeProvider ?? TimeProvider.System);
    }

    /// <summary>A ticket for the caller at an application: the one path that every delegated request takes.</summary>
    /// <param name="application">The application's name in the options.</param>
    /// <param name="caller">Who is to be delegated; authenticated, by <see cref="ValidateTokenAsync"/> or by the host.</param>
    /// <param name="cancellationToken">Ends this wait; an exchange that others wait for goes on.</param>
    /// <exception cref="KcdException">The caller may not be delegated, or there is no ticket; it says why and what to do.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    /// <exception cref="ObjectDisposedException">The authenticator was disposed.</exception>
    public async ValueTask<DelegatedCredential> GetCredentialAsync(string application, ClaimsPrincipal caller, CancellationToken cancellationToken = default)
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

    /// <summary>Maps the caller and gets the ticket. The caller of this method logs an error: <see cref="KcdHandler"/> has more of them.</summary>
    private async ValueTask<DelegatedCredential> DelegateAsync(ApplicationSettings application, ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        var user = await _mapper.MapAsync(caller, application.Callers, application.Mapping, cancellationToken).ConfigureAwait(false);
        var ticket = await GetTicketAsync(application, user, cancellationToken).ConfigureAwait(false);
        Log.IdentityUsed(_audit, application.Name, caller, user, ticket);
        return new DelegatedCredential(ticket, _templates, application.MutualAuthentication);
    }

    /// <summary>Checks a token and makes a principal of it, with the claim names as they stand in the token.</summary>
    /// <param name="token">A JWT in compact form, without <c>Bearer</c> before it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KcdException">The token is not believed, no issuer is configured, or the issuer's keys cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    /// <exception cref="ObjectDisposedException">The authenticator was disposed.</exception>
    public async ValueTask<ClaimsPrincipal> ValidateTokenAsync(string token, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(token);
        try
        {
            return await _tokens.ValidateAsync(token, cancellationToken).ConfigureAwait(false);
        }
        catch (KcdException refusal)
        {
            Log.Refused(_audit, refusal);
            throw;
        }
    }

    /// <summary>The identity that would be delegated; asks no KDC.</summary>
    /// <param name="application">The application's name in the options.</param>
    /// <param name="caller">Who is to be delegated.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KcdException">The caller may not be delegated, or there is no such application.</exception>
    public async ValueTask<KerberosPrincipal> MapAsync(string application, ClaimsPrincipal caller, CancellationToken cancellationToken = default)
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

    /// <summary>Logs every delegating account on that is not: for health checks, and to fail at the start rather than at the first user.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KcdException">A KDC refused an account, or none answered.</exception>
    public async ValueTask LogOnAsync(CancellationToken cancellationToken = default)
    {
        foreach (var client in _settings.Current.Applications.Values.Select(application => application.Client).Distinct())
        {
            try
            {
                await _clients.Get(client).LogOnAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (KerberosException error)
            {
                var refusal = KcdException.Explain(error);
                Log.Refused(_audit, refusal);
                throw refusal;
            }
        }
    }

    /// <summary>For sign-out: drops the caller's tickets, of every application and account. No header is made from them after this returns.</summary>
    /// <param name="caller">Who signs out, with the claims that he was delegated by.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The number of tickets dropped.</returns>
    /// <exception cref="KcdException">A mapper could not say who the caller is, so that tickets may be left.</exception>
    public async ValueTask<int> PurgeAsync(ClaimsPrincipal caller, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var dropped = 0;
        foreach (var application in _settings.Current.Applications.Values)
        {
            KerberosPrincipal user;
            try
            {
                user = await _mapper.MapAsync(caller, application.Callers, application.Mapping, cancellationToken).ConfigureAwait(false);
            }
            catch (KcdException refusal) when (!refusal.IsTransient)
            {
                // Without an identity for this application the caller has no ticket for it.
                continue;
            }
            dropped += _clients.Purge(application.Client, user);
        }
        Log.TicketsPurged(_audit, dropped);
        return dropped;
    }

    /// <summary>Waits for the exchanges under way, then drops every ticket and zeroes every key.</summary>
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

    /// <exception cref="KcdException">There is no such application (13020).</exception>
    internal ApplicationSettings GetApplication(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (_settings.Current.Applications.TryGetValue(name, out var application))
            return application;
        var refusal = new DelegationFailure(
            KcdStage.Delegation,
            KcdEventId.NoServicePrincipalName,
            $"No application {PrintableText.Quoted(name)} is configured, so there is no service principal name to ask a ticket for.",
            "Add it under Kcd:Applications, or correct the name that the client or handler was given.").ToException();
        Log.Refused(_audit, refusal);
        throw refusal;
    }

    private async ValueTask<ServiceTicket> GetTicketAsync(ApplicationSettings application, KerberosPrincipal user, CancellationToken cancellationToken)
    {
        try
        {
            return await _clients.Get(application.Client).GetTicketAsync(user, application.Service, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error)
        {
            throw KcdException.Explain(error);
        }
    }
}
