using System.Buffers.Text;
using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using KcdDelegation.Gateway.IdentityProviders;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Sessions;
using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The steps of a sign-in that the platform's client leaves to its host.</summary>
internal sealed class SignInEvents(
    SignInAnswers answers, RepeatedSignIns repeated, ILoggerFactory loggerFactory, TimeProvider timeProvider)
{
    private const string NonceItem = "kcd.nonce";
    private const string AcrItem = "kcd.acr";
    private const string HostItem = "kcd.for_host";

    private readonly ILogger _logger = loggerFactory.CreateLogger(SignInLog.Category);

    /// <summary>Creates the events of a provider.</summary>
    public OpenIdConnectEvents For(IdentityProvider provider) => new()
    {
        OnRedirectToIdentityProvider = context => PrepareRequestAsync(context, provider.Settings),
        OnMessageReceived = context => CheckResponseAsync(context, provider.Settings),
        OnAuthorizationCodeReceived = context => AddSecretAsync(context, provider.Settings),
        OnTokenResponseReceived = CheckTokenResponseAsync,
        OnTokenValidated = context => CreateSessionAsync(context, provider),
        OnTicketReceived = CompleteAsync,
        OnRemoteFailure = RefuseAsync,
    };

    /// <summary>Completes the authentication request. Its redirect URI is the address of the settings.</summary>
    private static async Task PrepareRequestAsync(RedirectContext context, ProviderSettings provider)
    {
        var application = context.HttpContext.GetGatewayApplication();
        var (message, properties) = (context.ProtocolMessage, context.Properties);
        message.RedirectUri = SignInPaths.GetAddress(application.ExternalUrl, SignInPaths.Callback);
        if (message.Prompt == OpenIdConnectPrompt.SelectAccount && await LacksAccountSelectionAsync(context))
            message.Prompt = OpenIdConnectPrompt.Login;
        var nonce = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        (message.Nonce, properties.Items[NonceItem], properties.Items[HostItem]) = (nonce, nonce, application.Host);
        if ((properties.GetParameter<string>(GatewaySchemes.AcrValues) ?? application.RequiredAcr) is not { Length: > 0 } acr)
            return;
        properties.Items[AcrItem] = acr;
        if (provider.Token.IsEntra)
            message.SetParameter("claims", CreateClaimsRequest(acr));
        else
            message.AcrValues = acr;
    }

    /// <summary>Determines whether the provider cannot ask for the account, so that it must ask for a new sign-in instead.</summary>
    /// <remarks>Not every provider knows <c>select_account</c>. Those that list their prompts (Initiating User Registration 1.0 §4) answer
    /// others with an error.</remarks>
    private static async Task<bool> LacksAccountSelectionAsync(RedirectContext context)
    {
        var prompts = (await ProviderClients.GetMetadataAsync(context.Options, context.HttpContext.RequestAborted)).PromptValuesSupported;
        return prompts.Count > 0 && !prompts.Contains(OpenIdConnectPrompt.SelectAccount);
    }

    /// <summary>Creates the request of Microsoft Entra for an authentication context, for both kinds of tokens.</summary>
    private static string CreateClaimsRequest(string acr)
    {
        var acrs = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["acrs"] = new Dictionary<string, object>(StringComparer.Ordinal) { ["essential"] = true, ["value"] = acr },
        };
        return JsonSerializer.Serialize(
            new Dictionary<string, object>(StringComparer.Ordinal) { ["id_token"] = acrs, ["access_token"] = acrs });
    }

    /// <summary>Checks the parameters of the answer before anything in it is used.</summary>
    private static async Task CheckResponseAsync(MessageReceivedContext context, ProviderSettings provider)
    {
        var query = context.Request.Query;
        // RFC 6749 §3.1: parameters must not be included more than once. Two readers could choose different ones.
        if (query.Any(static parameter => parameter.Value.Count > 1))
            throw new SignInException(SignInFailure.AnswerRefused, "The answer has a parameter twice.");
        // RFC 9207 §2.4: an answer of another provider than the one of the request must not be used.
        var issuer = query["iss"].ToString();
        var metadata = await ProviderClients.GetMetadataAsync(context.Options, context.HttpContext.RequestAborted);
        if (issuer.Length > 0 ? issuer != provider.Token.Issuer : metadata.AuthorizationResponseIssParameterSupported)
            throw new SignInException(SignInFailure.AnswerRefused, issuer.Length > 0
                ? "The answer is of another issuer (iss)." : "The answer has no iss, although the provider's metadata states that it has.");
    }

    /// <summary>Adds the client's secret. The file is read each time, so a new secret is used at once.</summary>
    private static async Task AddSecretAsync(AuthorizationCodeReceivedContext context, ProviderSettings provider)
    {
        if (context.Properties?.Items.TryGetValue(HostItem, out var host) != true
            || host != context.HttpContext.GetGatewayApplication().Host)
            throw new SignInException(SignInFailure.StateLost, "The sign-in began at another application.");
        context.TokenEndpointRequest!.ClientSecret = await ClientSecret.ReadAsync(provider.SignIn, context.HttpContext.RequestAborted);
    }

    /// <summary>Checks that the token endpoint has answered with an ID token, without which the platform's client fails without a
    /// reason.</summary>
    private static Task CheckTokenResponseAsync(TokenResponseReceivedContext context) =>
        string.IsNullOrEmpty(context.TokenEndpointResponse.IdToken)
            ? throw new SignInException(SignInFailure.AnswerRefused, "The answer of the token endpoint has no id_token.")
            : Task.CompletedTask;

    /// <summary>Validates the tokens with the library, and creates the content of the session.</summary>
    private async Task CreateSessionAsync(TokenValidatedContext context, IdentityProvider provider)
    {
        var (properties, tokens) = (context.Properties!, context.TokenEndpointResponse!);
        if (!properties.Items.Remove(NonceItem, out var nonce) || string.IsNullOrEmpty(nonce))
            throw new SignInException(SignInFailure.StateLost, "The state has no nonce.");
        // The platform compares it with the claim again.
        context.Nonce = nonce;
        var caller = await ProviderTokens.ValidateAsync(
            provider, tokens.IdToken, nonce, tokens.AccessToken, context.HttpContext.RequestAborted);
        if (properties.Items.Remove(AcrItem, out var acr) && acr is not null && !ProviderTokens.HasAcr(caller.Caller, acr))
            throw new SignInException(SignInFailure.AcrMissing, "The sign-in does not have the acr that the application requires.");
        var session = new SessionTicket
        {
            Provider = provider.Settings.Name,
            Host = context.HttpContext.GetGatewayApplication().Host,
            Issuer = provider.Settings.Token.Issuer,
            Subject = caller.User.FindFirst("sub")?.Value
                ?? throw new SignInException(SignInFailure.AnswerRefused, "The ID token has no sub."),
            SessionId = caller.User.FindFirst("sid")?.Value,
            IdToken = tokens.IdToken,
            RefreshToken = tokens.RefreshToken,
            EndsWithTokens = provider.Settings.SignIn?.Caller == TokenKind.AccessToken,
        };
        context.Principal = caller.Caller;
        ProviderTokens.SetLife(session, tokens.ExpiresIn, caller.Caller, timeProvider.GetUtcNow()).Write(properties);
    }

    /// <summary>Stores the session and returns to the application.</summary>
    private async Task CompleteAsync(TicketReceivedContext context)
    {
        var (http, application) = (context.HttpContext, context.HttpContext.GetGatewayApplication());
        var properties = new AuthenticationProperties { IssuedUtc = timeProvider.GetUtcNow() };
        // Only the content of the session: the state has the secret of the authorization request.
        var session = SessionTicket.Read(context.Properties!)
            ?? throw new InvalidOperationException("The state is not that of a sign-in.");
        session.Write(properties);
        try
        {
            await http.SignInAsync(GatewaySchemes.Session, context.Principal!, properties);
        }
        catch (SessionLimitException)
        {
            await answers.WriteSessionLimitAsync(http);
            context.HandleResponse();
            return;
        }
        catch (Exception error) when (SignInAnswers.IsOfState(error))
        {
            await answers.WriteStateUnusableAsync(http, error);
            context.HandleResponse();
            return;
        }
        repeated.Count(http);
        SignInLog.SignedIn(_logger, application.Name, application.Provider);
        var start = application.ExternalUrl;
        var address = ReturnUrl.IsAddress(start, context.ReturnUri) ? context.ReturnUri! : start.AbsoluteUri;
        SignInAnswers.Redirect(http, address);
        context.HandleResponse();
    }

    private async Task RefuseAsync(RemoteFailureContext context)
    {
        await answers.WriteFailureAsync(context.HttpContext, context.Failure, context.Properties?.RedirectUri);
        context.HandleResponse();
    }
}
