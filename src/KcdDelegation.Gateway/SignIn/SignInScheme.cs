using KcdDelegation.Gateway.Pages;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Sessions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.Net.Http.Headers;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The scheme that sends a browser to the provider of the request's application, and gives other clients an answer that they
/// understand.</summary>
internal sealed class SignInScheme(ProviderClients clients, SignInAnswers answers, RepeatedSignIns repeated) : IAuthenticationHandler
{
    private HttpContext _context = null!;

    public Task InitializeAsync(AuthenticationScheme scheme, HttpContext context)
    {
        _context = context;
        return Task.CompletedTask;
    }

    public Task<AuthenticateResult> AuthenticateAsync() => Task.FromResult(AuthenticateResult.NoResult());

    public Task ChallengeAsync(AuthenticationProperties? properties)
    {
        var kind = ClientKinds.Determine(_context.Request);
        if (kind != ClientKind.Navigation)
            return answers.WriteRequiredAsync(_context);
        properties ??= new AuthenticationProperties();
        var externalUrl = _context.GetGatewayApplication().ExternalUrl;
        properties.RedirectUri = ReturnUrl.FromRequest(externalUrl, _context.Request);
        var isStepUp = properties.GetParameter<string>(GatewaySchemes.AcrValues) is not null
            && _context.Features.Get<CurrentSession>() is not null;
        if (_context.Features.Get<SignInReferral>() is { } referral)
            return referral.WriteAsync(_context, externalUrl, properties.RedirectUri, isStepUp);
        if (repeated.IsLoop(_context.Request))
            return answers.WriteLoopAsync(_context);
        // Without it, the provider could answer with the authentication that is not enough.
        if (isStepUp)
            properties.SetParameter(OpenIdConnectParameterNames.Prompt, OpenIdConnectPrompt.Login);
        return StartAsync(_context, properties);
    }

    public Task ForbidAsync(AuthenticationProperties? properties) =>
        answers.WriteAsync(_context, HostPages.NotPermitted);

    /// <summary>Sends the browser to the provider of the application.</summary>
    /// <param name="context">The request.</param>
    /// <param name="properties">The state of the sign-in, with the address to return to.</param>
    public async Task StartAsync(HttpContext context, AuthenticationProperties properties)
    {
        try
        {
            var handler = await clients.CreateHandlerAsync(context, context.GetGatewayApplication().Provider)
                ?? throw new SignInException(SignInFailure.ProviderUnavailable, "The settings have no sign-in with the provider.");
            // First, so that an unreachable provider leaves no cookie of an unfinished sign-in.
            await ProviderClients.GetMetadataAsync(handler.Options, context.RequestAborted);
            await handler.ChallengeAsync(properties);
            context.Response.Headers.CacheControl = "no-store";
        }
        catch (SignInException error)
        {
            await answers.WriteFailureAsync(context, error, properties.RedirectUri);
        }
        // The keys in the folder of the state protect the state of the sign-in.
        catch (Exception error) when (SignInAnswers.IsOfState(error) && !context.Response.HasStarted)
        {
            context.Response.Headers.Remove(HeaderNames.SetCookie);
            await answers.WriteStateUnusableAsync(context, error);
        }
    }
}
