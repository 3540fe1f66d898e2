using KcdDelegation.Gateway.IdentityProviders;
using KcdDelegation.Gateway.Pages;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Kerberos.Names;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.SignOut;

/// <summary>The endpoint at which a provider reports that a user has signed out (OpenID Connect Back-Channel Logout 1.0 §2.5 to
/// §2.8).</summary>
internal sealed class BackChannelLogout(
    ProviderRegistry providers, LogoutTokens tokens, SessionEnd sessions, ILoggerFactory loggerFactory)
{
    private const int MaxBody = 128 * 1024;

    private readonly ILogger _logger = loggerFactory.CreateLogger(SignOutLog.Category);

    public async Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = HttpMethods.Post;
            return;
        }
        var application = context.GetGatewayApplication();
        try
        {
            var provider = providers.Find(application.Provider) is { Settings.SignIn: not null } found
                ? found : throw new LogoutTokenException("the settings have no sign-in with the provider");
            var logout = await tokens.ValidateAsync(provider, await ReadTokenAsync(context), context.RequestAborted);
            var user = logout.Subject is null ? null : logout.User;
            var count = await sessions.EndAsync(
                provider.Settings.Token.Issuer, logout.Subject, logout.SessionId, user, except: null);
            SignOutLog.BackChannelLogout(_logger, provider.Settings.Name, count);
            context.Response.StatusCode = StatusCodes.Status200OK;
        }
        catch (Exception error) when (error is LogoutTokenException or KcdException)
        {
            SignOutLog.LogoutTokenRefused(
                _logger, application.Provider, PrintableText.From(error.Message, 512), GatewayPage.GetActivityId(context));
            await RefuseAsync(context, error is KcdException { Kind: KcdErrorKind.Unavailable });
        }
    }

    /// <summary>Reads the only parameter of the form.</summary>
    private static async Task<string> ReadTokenAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = MaxBody;
        if (!context.Request.HasFormContentType)
            throw new LogoutTokenException("the request is not a form");
        try
        {
            var form = await context.Request.ReadFormAsync(context.RequestAborted);
            return form["logout_token"] is [{ Length: > 0 } token]
                ? token : throw new LogoutTokenException("the form has no logout_token, or several");
        }
        catch (Exception error) when (error is InvalidDataException or BadHttpRequestException or IOException)
        {
            throw new LogoutTokenException("the form cannot be read");
        }
    }

    /// <summary>Answers a request that is not accepted. Its reason is in the log only.</summary>
    private static Task RefuseAsync(HttpContext context, bool isTransient)
    {
        context.Response.StatusCode = isTransient ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status400BadRequest;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync("""{"error":"invalid_request"}""", context.RequestAborted);
    }
}
