using System.Text.Json;
using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Gateway.Pages;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Applications;

/// <summary>Authenticates the user of a request and checks the conditions of its application. No request passes without a user.</summary>
internal sealed class ApplicationAuthorization(
    IAuthenticationSchemeProvider schemes, ILoggerFactory loggerFactory, TimeProvider timeProvider)
{
    private readonly ILogger _logger = loggerFactory.CreateLogger(GatewayLog.Category);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var (application, settings) = context.GetApplicationFeature();
        if (!await AuthenticateAsync(context, application))
        {
            await ChallengeAsync(context, application, acr: null);
            return;
        }
        if (!HasBearer(context) && IsUpgrade(context) && !RequestOrigin.IsApplication(context))
        {
            GatewayLog.ConditionNotMet(
                _logger, application.Name, "the Origin of the WebSocket is not the application", GatewayPage.GetActivityId(context));
            await HostPages.NotPermitted.WriteAsync(context, settings.Pages, timeProvider);
            return;
        }
        if (Conditions.FindUnmet(application, context.User) is not { } unmet)
        {
            await next(context);
            return;
        }
        GatewayLog.ConditionNotMet(_logger, application.Name, unmet.Text, GatewayPage.GetActivityId(context));
        await RefuseAsync(context, application, settings, unmet);
    }

    /// <summary>Determines whether the request asks for a WebSocket, or another protocol, on its connection.</summary>
    /// <remarks>Browsers open a WebSocket for a page of any site, and send the session's cookie if it is a sibling domain. The page could
    /// read and write as the user (RFC 6455 §10.2). An outer proxy that asks about the handshake does not pass <c>Upgrade</c> on, which is
    /// a field of the connection, but those of the handshake itself, without which no server opens a WebSocket (RFC 6455 §4.2.1).</remarks>
    private static bool IsUpgrade(HttpContext context)
    {
        var headers = context.Request.Headers;
        return headers.Upgrade.Count + headers.SecWebSocketKey.Count + headers.SecWebSocketVersion.Count > 0
            || context.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect == true;
    }

    /// <summary>Authenticates the request. A bearer token decides alone: a session never replaces one that is not accepted.</summary>
    private async Task<bool> AuthenticateAsync(HttpContext context, GatewayApplication application)
    {
        var isBrowser = !HasBearer(context) && await HasSignInAsync(application);
        var result = await context.AuthenticateAsync(isBrowser ? GatewaySchemes.Session : GatewaySchemes.Bearer);
        if (result is not { Succeeded: true, Principal.Identity.IsAuthenticated: true })
            return false;
        // A session at this host that began with another provider, before the settings changed.
        if (isBrowser
            && !string.Equals(
                result.Properties?.GetString(GatewaySchemes.ProviderItem), application.Provider, StringComparison.OrdinalIgnoreCase))
            return false;
        context.User = result.Principal;
        context.Features.Set(new SignInFeature(result.Properties?.GetString(GatewaySchemes.AcrItem)));
        return true;
    }

    private async Task ChallengeAsync(HttpContext context, GatewayApplication application, string? acr)
    {
        if (HasBearer(context) || !await HasSignInAsync(application))
        {
            await context.ChallengeAsync(GatewaySchemes.Bearer);
            return;
        }
        var properties = new AuthenticationProperties();
        if (acr is not null)
            properties.Parameters[GatewaySchemes.AcrValues] = acr;
        await context.ChallengeAsync(GatewaySchemes.SignIn, properties);
    }

    private Task RefuseAsync(HttpContext context, GatewayApplication application, GatewaySettings settings, UnmetCondition unmet)
    {
        if (unmet.Kind == ConditionKind.Authentication && application.RequiredAcr is { } acr)
        {
            // A provider that has answered the request for this acr without it would be asked again and again.
            if (!HasBearer(context) && context.Features.Get<SignInFeature>()?.RequestedAcr != acr)
                return ChallengeAsync(context, application, acr);
            if (HasBearer(context))
                return ChallengeBearerAsync(context, settings.Providers[application.Provider], acr);
        }
        if (unmet.Kind == ConditionKind.Scope && HasBearer(context))
        {
            // RFC 6750 §3.1.
            context.Response.Headers.WWWAuthenticate =
                $"Bearer error=\"insufficient_scope\", scope=\"{string.Join(' ', application.RequiredScopes)}\"";
        }
        return HostPages.NotPermitted.WriteAsync(context, settings.Pages, timeProvider);
    }

    /// <summary>Asks the client for a token of a stronger sign-in (RFC 9470 §3). Clients of Microsoft Entra read the claims
    /// challenge.</summary>
    private static Task ChallengeBearerAsync(HttpContext context, ProviderSettings provider, string acr)
    {
        var challenge = $"Bearer error=\"insufficient_user_authentication\", acr_values=\"{acr}\"";
        if (provider.Token.IsEntra)
        {
            var claims = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["access_token"] = new Dictionary<string, object>(StringComparer.Ordinal)
                {
                    ["acrs"] = new Dictionary<string, object>(StringComparer.Ordinal) { ["essential"] = true, ["value"] = acr },
                },
            });
            challenge = $"Bearer error=\"insufficient_claims\", claims=\"{Convert.ToBase64String(claims)}\"";
        }
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = challenge;
        context.Response.Headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }

    private static bool HasBearer(HttpContext context)
    {
        foreach (var value in context.Request.Headers.Authorization)
        {
            if (value?.StartsWith("Bearer", StringComparison.OrdinalIgnoreCase) == true)
                return true;
        }
        return false;
    }

    private async Task<bool> HasSignInAsync(GatewayApplication application) =>
        application.SignIn == SignInMode.Browser && await schemes.GetSchemeAsync(GatewaySchemes.SignIn) is not null;

    /// <summary>The session of the request.</summary>
    /// <param name="RequestedAcr">The values of <c>acr_values</c> that its sign-in requested; null for none.</param>
    private sealed record SignInFeature(string? RequestedAcr);
}
