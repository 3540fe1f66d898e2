using System.Security.Claims;
using System.Text.Encodings.Web;
using KcdDelegation.Gateway.Requests;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The authentication scheme of sessions.</summary>
/// <remarks>The platform's cookie handler keeps the reference of an existing session at a sign-in, and writes a cookie for each extension
/// of the idle life. A reference must be replaced at a sign-in, so that one that another party knows is worth nothing.</remarks>
internal sealed class SessionHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggerFactory, UrlEncoder encoder, SessionStore store,
    SessionRefresh refresh, SessionRequests requests)
    : SignInAuthenticationHandler<AuthenticationSchemeOptions>(options, loggerFactory, encoder)
{
    /// <summary>The time for which requests with the replaced reference are still served, because several tabs can sign in at
    /// once.</summary>
    private static readonly TimeSpan ReplacedLife = TimeSpan.FromSeconds(30);

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (SessionCookie.Read(Request) is not { } reference
            || await store.FindAsync(reference, Context.GetGatewayApplication().Host) is not { } ticket)
            return AuthenticateResult.NoResult();
        if (await refresh.GetCurrentAsync(reference, ticket, Context.RequestAborted) is not { } current)
            return AuthenticateResult.NoResult();
        Response.RegisterForDispose(requests.Add(reference.Hash, Context));
        // The session may have ended after it was read and before the request was added.
        if (!store.Exists(reference))
            return AuthenticateResult.NoResult();
        Context.Features.Set(new CurrentSession(reference));
        return AuthenticateResult.Success(new AuthenticationTicket(current.Principal, current.Properties, Scheme.Name));
    }

    /// <summary>Stores the session under a new reference and ends the session that the browser had.</summary>
    protected override async Task HandleSignInAsync(ClaimsPrincipal user, AuthenticationProperties? properties)
    {
        ArgumentNullException.ThrowIfNull(properties);
        var session = SessionTicket.Read(properties) ?? throw new InvalidOperationException("The properties are not those of a session.");
        var earlier = SessionCookie.Read(Request);
        var reference = await store.StoreAsync(new AuthenticationTicket(user, properties, Scheme.Name));
        if (earlier is { } replaced)
            await EndReplacedAsync(replaced, session);
        SessionCookie.Append(Response, reference);
    }

    protected override async Task HandleSignOutAsync(AuthenticationProperties? properties)
    {
        if (SessionCookie.Read(Request) is { } reference)
            await store.RemoveAsync(reference.Text);
        SessionCookie.Delete(Response);
    }

    /// <summary>Answers 401. The sign-in decides before what else a client can get.</summary>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }

    private async Task EndReplacedAsync(SessionReference replaced, SessionTicket session)
    {
        var earlier = await store.RetrieveAsync(replaced) is { } ticket ? SessionTicket.Read(ticket.Properties) : null;
        if (earlier is not null && earlier.Issuer == session.Issuer && earlier.Subject == session.Subject)
            await store.RetireAsync(replaced.Text, ReplacedLife);
        else
            await store.RemoveAsync(replaced.Text);
    }
}

/// <summary>The session of the current request, a feature of its context.</summary>
/// <param name="Reference">The reference of the session.</param>
internal sealed record CurrentSession(SessionReference Reference);
