using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Gateway.Pages;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Sessions;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Gateway.SignIn;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace KcdDelegation.Gateway.SignOut;

/// <summary>The paths of the sign-out at the address of each application (OpenID Connect RP-Initiated Logout 1.0).</summary>
internal sealed class SignOutEndpoints
{
    /// <summary>The largest address with an ID token in it. Providers and proxies refuse longer ones.</summary>
    private const int MaxAddress = 8000;

    private static readonly TimeSpan LinkLife = TimeSpan.FromHours(1);

    private readonly SessionStore _store;
    private readonly SessionEnd _sessions;
    private readonly ProviderClients _clients;
    private readonly SignInAnswers _answers;
    private readonly BackChannelLogout _backChannel;
    private readonly ITimeLimitedDataProtector _links;
    private readonly ILogger _logger;

    public SignOutEndpoints(
        SessionStore store, SessionEnd sessions, ProviderClients clients, SignInAnswers answers, BackChannelLogout backChannel,
        IDataProtectionProvider protection, ILoggerFactory loggerFactory)
    {
        (_store, _sessions, _clients, _answers, _backChannel) = (store, sessions, clients, answers, backChannel);
        _links = protection.CreateProtector("KcdDelegation.Gateway.SignOut").ToTimeLimitedDataProtector();
        _logger = loggerFactory.CreateLogger(SignOutLog.Category);
    }

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path;
        if (!path.StartsWithSegments(SignInPaths.Root, StringComparison.OrdinalIgnoreCase)
            || context.GetGatewayApplication().SignIn != SignInMode.Browser)
            return next(context);
        if (path == SignInPaths.BackChannelLogout)
            return _backChannel.InvokeAsync(context);
        if (path == SignInPaths.SignedOut)
            return WriteSignedOutAsync(context);
        return path == SignInPaths.SignOut ? SignOutAsync(context) : next(context);
    }

    /// <summary>Signs the user out, or asks whether the user wants it.</summary>
    /// <remarks>A page of another site can open an address and send a form. The cookie of the session is sent with the former, and from a
    /// sibling domain with both. A sign-out therefore needs a link of this page or a form of the application itself.</remarks>
    private async Task SignOutAsync(HttpContext context)
    {
        // Without a refresh of its tokens: a session that cannot be used now, because its provider does not answer, must end too.
        if (SessionCookie.Read(context.Request) is not { } reference
            || await _store.FindAsync(reference, context.GetGatewayApplication().Host) is not { } session)
        {
            SignInAnswers.Redirect(context, GetSignedOutAddress(context), StatusCodes.Status303SeeOther);
            return;
        }
        var isAllowed = HttpMethods.IsPost(context.Request.Method)
            ? RequestOrigin.IsApplication(context)
            : HttpMethods.IsGet(context.Request.Method) && IsOwnLink(context.Request.Query["token"], reference);
        if (isAllowed)
        {
            await EndAsync(context, session.Principal, SessionTicket.Read(session.Properties)!);
            return;
        }
        var link = new PageLink("Sign out", CreateLink(reference));
        await _answers.WriteAsync(context, SignOutPages.Confirm with { Link = link });
    }

    private async Task EndAsync(HttpContext context, ClaimsPrincipal user, SessionTicket session)
    {
        var count = await _sessions.EndAsync(session.Issuer, session.Subject, session.SessionId, user, context);
        SessionCookie.Delete(context.Response);
        SignOutLog.SignedOut(_logger, context.GetGatewayApplication().Name, session.Provider, count);
        var address = await FindEndSessionAddressAsync(context, session) ?? GetSignedOutAddress(context);
        SignInAnswers.Redirect(context, address, StatusCodes.Status303SeeOther);
    }

    /// <summary>Returns the address at which the provider signs the user out; null if it has none or does not answer.</summary>
    private async Task<string?> FindEndSessionAddressAsync(HttpContext context, SessionTicket session)
    {
        try
        {
            var metadata = await _clients.FindMetadataAsync(session.Provider, context.RequestAborted);
            if (metadata?.EndSessionEndpoint is not { Length: > 0 } endpoint)
                return null;
            var message = new OpenIdConnectMessage
            {
                IssuerAddress = endpoint,
                ClientId = context.GetApplicationFeature().Settings.Providers[session.Provider].Token.ClientId,
                PostLogoutRedirectUri = GetSignedOutAddress(context),
                IdTokenHint = session.IdToken,
                EnableTelemetryParameters = false,
            };
            if (message.CreateLogoutRequestUrl() is { Length: <= MaxAddress } address)
                return address;
            message.IdTokenHint = null;
            return message.CreateLogoutRequestUrl();
        }
        catch (SignInException)
        {
            return null;
        }
    }

    private Task WriteSignedOutAsync(HttpContext context) => _answers.WriteAsync(
        context, SignOutPages.SignedOut with
        {
            Link = new PageLink("Open the application again", context.GetGatewayApplication().ExternalUrl.AbsoluteUri),
        });

    private string CreateLink(SessionReference reference) =>
        $"{SignInPaths.SignOut}?token={Uri.EscapeDataString(_links.Protect(reference.Hash, LinkLife))}";

    private bool IsOwnLink(string? token, SessionReference reference)
    {
        if (string.IsNullOrEmpty(token))
            return false;
        try
        {
            return CryptographicOperations.FixedTimeEquals(
                Encoding.ASCII.GetBytes(_links.Unprotect(token)), Encoding.ASCII.GetBytes(reference.Hash));
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static string GetSignedOutAddress(HttpContext context) =>
        SignInPaths.GetAddress(context.GetGatewayApplication().ExternalUrl, SignInPaths.SignedOut);
}
