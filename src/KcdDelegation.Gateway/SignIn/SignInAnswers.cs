using System.Security.Cryptography;
using System.Text.RegularExpressions;
using KcdDelegation.Gateway.Pages;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Kerberos.Names;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The answers of the sign-in. The reason is in the log; a page has only what the provider said, and how to try again.</summary>
internal sealed partial class SignInAnswers(ILoggerFactory loggerFactory, TimeProvider timeProvider)
{
    private const int MaxCode = 64;
    private const int MaxDescription = 300;

    private readonly ILogger _logger = loggerFactory.CreateLogger(SignInLog.Category);

    /// <summary>Sends a browser to an address of the gateway or of a provider. The answer is not stored, and the address of this request,
    /// which can contain a code, is not passed on.</summary>
    public static void Redirect(HttpContext context, string address, int status = StatusCodes.Status302Found)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = address;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
    }

    /// <summary>Answers a failed sign-in. It is never started again without the user.</summary>
    /// <param name="context">The request.</param>
    /// <param name="error">The reason.</param>
    /// <param name="returnUrl">The address to which the user wanted to return; null if it is not known.</param>
    public Task WriteFailureAsync(HttpContext context, Exception? error, string? returnUrl)
    {
        var application = context.GetGatewayApplication();
        var (failure, cause) = Explain(error);
        SignInLog.SignInRefused(
            _logger, application.Name, application.Provider, PrintableText.From(cause, 512), GatewayPage.GetActivityId(context),
            FindCorrelationId(error?.Data["error_description"] as string) ?? "not known");
        var page = failure switch
        {
            SignInFailure.ProviderError => SignInPages.ProviderError with { Facts = [.. ReadFacts(error!)] },
            SignInFailure.StateLost => SignInPages.StateLost,
            SignInFailure.AcrMissing => SignInPages.AcrMissing,
            SignInFailure.ProviderUnavailable => SignInPages.ProviderUnavailable,
            _ => SignInPages.AnswerRefused,
        };
        var retry = CreateRetry(application.ExternalUrl, returnUrl, failure);
        return WriteAsync(context, page with { Link = new PageLink("Try again", retry) });
    }

    /// <summary>Answers a client that cannot be sent to the provider.</summary>
    public Task WriteRequiredAsync(HttpContext context)
    {
        var application = context.GetGatewayApplication();
        // RFC 9110 §15.5.2: a 401 has a challenge. A program can send a bearer token.
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return WriteAsync(context, SignInPages.Required with { Link = new PageLink("Sign in", application.ExternalUrl.AbsoluteUri) });
    }

    public Task WriteSessionLimitAsync(HttpContext context) => WriteAsync(context, SignInPages.SessionLimit);

    /// <summary>Answers a sign-in whose session, or whose keys, the folder of the state does not have.</summary>
    public Task WriteStateUnusableAsync(HttpContext context, Exception error)
    {
        var cause = PrintableText.From($"{error.GetType().Name}: {error.GetBaseException().Message}", 512);
        SignInLog.StateUnusable(_logger, context.GetGatewayApplication().Name, cause, GatewayPage.GetActivityId(context));
        return WriteAsync(context, SignInPages.StateUnusable);
    }

    /// <summary>Determines whether an exception is one of the folder of the state, or of the keys in it.</summary>
    public static bool IsOfState(Exception error) => error is IOException or UnauthorizedAccessException or CryptographicException;

    /// <summary>Answers a browser whose sessions are not accepted.</summary>
    public Task WriteLoopAsync(HttpContext context)
    {
        var application = context.GetGatewayApplication();
        SignInLog.SignInRepeats(_logger, application.Name, GatewayPage.GetActivityId(context));
        return WriteAsync(context, SignInPages.Loop);
    }

    public Task WriteAsync(HttpContext context, GatewayPage page)
    {
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        return page.WriteAsync(context, context.GetApplicationFeature().Settings.Pages, timeProvider);
    }

    private static (SignInFailure Failure, string Cause) Explain(Exception? error) => error switch
    {
        SignInException own => (own.Failure, own.Message),
        KcdException { Kind: KcdErrorKind.Unavailable } refusal => (SignInFailure.ProviderUnavailable, refusal.Message),
        KcdException refusal => (SignInFailure.AnswerRefused, refusal.Message),
        _ when error is not null && FindCode(error) is { } code => (
            SignInFailure.ProviderError, $"The provider returned the error {code}: {error.Data["error_description"]}"),
        OpenIdConnectProtocolException or Microsoft.IdentityModel.Tokens.SecurityTokenException => (
            SignInFailure.AnswerRefused, $"The answer is not accepted ({error.GetType().Name}: {error.Message})"),
        HttpRequestException or OperationCanceledException or IOException => (
            SignInFailure.ProviderUnavailable, $"The provider does not answer ({error.GetType().Name}: {error.Message})"),
        // The platform's failures of the state have no message of their own.
        null or AuthenticationFailureException => (SignInFailure.StateLost, error?.Message ?? "The answer has no state."),
        // The platform's failures to read an answer of the provider are of many types.
        _ => (SignInFailure.AnswerRefused, $"The answer cannot be read ({error.GetType().Name}: {error.Message})"),
    };

    private static string? FindCode(Exception error) => error.Data["error"] as string is { Length: > 0 } code ? code : null;

    /// <summary>Reads what the provider said. Its text is shown as text, and only as much as helps an administrator.</summary>
    private static IEnumerable<KeyValuePair<string, string>> ReadFacts(Exception error)
    {
        yield return KeyValuePair.Create("Code of the identity provider", PrintableText.From(FindCode(error), MaxCode));
        if (error.Data["error_description"] as string is not { Length: > 0 } description)
            yield break;
        yield return KeyValuePair.Create("Description of the identity provider", PrintableText.From(description, MaxDescription));
        if (FindCorrelationId(description) is { } found)
            yield return KeyValuePair.Create("Correlation ID of the identity provider", found);
    }

    /// <summary>Returns the identifier under which the provider has logged its error; null if the description has none.</summary>
    private static string? FindCorrelationId(string? description) =>
        description is not null && CorrelationIdentifier().Match(description) is { Success: true } found ? found.Groups["id"].Value : null;

    /// <summary>Returns the address that starts the sign-in again. After an error of the provider, it asks for the account: with the same
    /// one it would return the same error at once.</summary>
    private static string CreateRetry(Uri externalUrl, string? returnUrl, SignInFailure failure)
    {
        var target = ReturnUrl.ToParameter(externalUrl, ReturnUrl.FromParameter(externalUrl, returnUrl));
        var select = failure == SignInFailure.ProviderError ? "&select=1" : "";
        return $"{SignInPaths.SignIn}?return={target}{select}";
    }

    /// <summary>Matches the correlation identifier in descriptions of Microsoft Entra.</summary>
    [GeneratedRegex("Correlation ID: (?<id>[0-9a-fA-F-]{36})", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 100)]
    private static partial Regex CorrelationIdentifier();
}
