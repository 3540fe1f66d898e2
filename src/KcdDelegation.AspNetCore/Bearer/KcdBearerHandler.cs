using System.Text.Encodings.Web;
using KcdDelegation.AspNetCore.Answers;
using KcdDelegation.Diagnosis;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace KcdDelegation.AspNetCore.Bearer;

/// <summary>Authenticates requests by bearer token, with the validation of <see cref="IAccessTokenValidator"/>.</summary>
/// <remarks>Challenges follow RFC 6750 §3. They have an error code and no description: the log has the reason.</remarks>
internal sealed class KcdBearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggerFactory,
    UrlEncoder encoder,
    IAccessTokenValidator validator,
    AnswerWriter answers)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggerFactory, encoder)
{
    private const string Challenge = "Bearer";
    private const string InvalidRequest = "Bearer error=\"invalid_request\"";
    private const string InvalidToken = "Bearer error=\"invalid_token\"";
    private const string InsufficientScope = "Bearer error=\"insufficient_scope\"";

    private string _challenge = Challenge;

    /// <summary>The failure that is not one of the token, so that another token does not help.</summary>
    private KcdException? _serverFailure;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var credentials = BearerCredentials.Parse(Request.Headers.Authorization);
        if (credentials.IsRepeated || credentials.IsMalformed)
        {
            _challenge = credentials.IsRepeated ? InvalidRequest : InvalidToken;
            return AuthenticateResult.Fail("The request has no single, well-formed Authorization header.");
        }
        if (credentials.Token.IsEmpty)
            return AuthenticateResult.NoResult();
        try
        {
            var caller = await validator.ValidateAsync(Context, credentials.Token).ConfigureAwait(false);
            return AuthenticateResult.Success(new AuthenticationTicket(caller, Scheme.Name));
        }
        catch (KcdException refusal)
        {
            _challenge = InvalidToken;
            // An unknown key is an invalid token, even while the issuer's keys cannot be requested again.
            if (refusal.Kind is KcdErrorKind.Unavailable or KcdErrorKind.Configuration && refusal.EventId != KcdEventId.TokenKeyUnknown)
                _serverFailure = refusal;
            // The validator has logged the reason. The base class would repeat it at every use of the result.
            return AuthenticateResult.Fail("The bearer token was not accepted.");
        }
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // A challenge without an earlier authentication, such as of a second scheme, needs the result first.
        await HandleAuthenticateOnceSafeAsync().ConfigureAwait(false);
        if (_serverFailure is not null)
        {
            await answers.WriteErrorAsync(Context, _serverFailure).ConfigureAwait(false);
            return;
        }
        // RFC 6750 §3.1: invalid_request should be answered with 400.
        Response.StatusCode = _challenge == InvalidRequest ? StatusCodes.Status400BadRequest : StatusCodes.Status401Unauthorized;
        Response.Headers.Append(HeaderNames.WWWAuthenticate, _challenge);
        Response.Headers.CacheControl = "no-store";
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status403Forbidden;
        Response.Headers.Append(HeaderNames.WWWAuthenticate, InsufficientScope);
        Response.Headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }
}
