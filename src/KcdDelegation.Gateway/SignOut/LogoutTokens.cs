using System.Globalization;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using KcdDelegation.Gateway.IdentityProviders;
using KcdDelegation.Gateway.SignIn;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Token;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.SignOut;

/// <summary>Validates logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.6). Each is accepted once. Thread-safe.</summary>
/// <param name="used">The identifiers of the tokens that were accepted.</param>
/// <param name="loggerFactory">Creates the logger.</param>
internal sealed class LogoutTokens(OneTimeValues used, ILoggerFactory loggerFactory)
{
    private const string Event = "http://schemas.openid.net/event/backchannel-logout";

    private readonly ILogger _logger = loggerFactory.CreateLogger(SignOutLog.Category);

    /// <summary>Validates a logout token of a provider.</summary>
    /// <exception cref="KcdException">The signature, the issuer, the audience or a time of the token is not accepted.</exception>
    /// <exception cref="LogoutTokenException">The token is not one of a logout, or was used before.</exception>
    public async Task<Logout> ValidateAsync(IdentityProvider provider, string token, CancellationToken cancellationToken)
    {
        // Steps 1 to 4: the signature with the algorithms and keys of ID tokens, iss, aud, iat and exp.
        var user = await provider.ValidateLogoutTokenAsync(token, cancellationToken);
        var (subject, sessionId) = (FindText(user, "sub"), FindText(user, "sid"));
        if (subject is null && sessionId is null)
            throw new LogoutTokenException("it has neither sub nor sid");
        if (!HasEvent(user))
            throw new LogoutTokenException("it has no event of a back-channel logout");
        // An ID token of a sign-in must not be a logout token.
        if (user.FindFirst("nonce") is not null)
            throw new LogoutTokenException("it has a nonce");
        if (FindText(user, "jti") is not { Length: > 0 } identifier)
            throw new LogoutTokenException("it has no jti");
        if (!TryUse($"{provider.Settings.Token.Issuer} {identifier}", FindEnd(user)))
            throw new LogoutTokenException("it was used before");
        return new Logout(subject, sessionId, user);
    }

    private bool TryUse(string identifier, DateTimeOffset end)
    {
        try
        {
            return used.TryUse(identifier, end);
        }
        // The user is signed out nevertheless. To sign a user out again after a restart does less harm than not to do it now.
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            SignOutLog.LogoutTokenNotStored(_logger, PrintableText.From(error.Message, 512));
            return true;
        }
    }

    /// <summary>Returns the value of a claim that occurs once and is text; null if there is none.</summary>
    /// <exception cref="LogoutTokenException">The claim is of another type.</exception>
    private static string? FindText(ClaimsPrincipal user, string name)
    {
        var claims = user.FindAll(name).ToList();
        if (claims.Count == 0)
            return null;
        return claims is [{ ValueType: ClaimValueTypes.String, Value: { Length: > 0 } value }]
            ? value : throw new LogoutTokenException($"its {name} is not a text");
    }

    private static bool HasEvent(ClaimsPrincipal user) =>
        user.FindAll("events").ToList() is [{ } events]
            && StrictJson.ParseObject(Encoding.UTF8.GetBytes(events.Value), out var all) == StrictJsonResult.Object
            && all.TryGetProperty(Event, out var logout) && logout.ValueKind == JsonValueKind.Object;

    /// <summary>Returns the time after which the token has expired for every tolerated clock.</summary>
    private static DateTimeOffset FindEnd(ClaimsPrincipal user) =>
        double.Parse(user.FindFirst("exp")!.Value, NumberStyles.Float, CultureInfo.InvariantCulture) is var seconds
            && seconds < DateTimeOffset.MaxValue.ToUnixTimeSeconds() - 3600
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) + (2 * TokenValidator.ClockTolerance)
            : DateTimeOffset.MaxValue;
}

/// <summary>A logout at the provider.</summary>
/// <param name="Subject">The user; null if the token names the session only.</param>
/// <param name="SessionId">The session at the provider; null for all sessions of the user.</param>
/// <param name="User">The claims of the token.</param>
internal sealed record Logout(string? Subject, string? SessionId, ClaimsPrincipal User);

/// <summary>Thrown when a logout token is not accepted.</summary>
/// <param name="cause">The predicate of a sentence whose subject is the token.</param>
internal sealed class LogoutTokenException(string cause) : Exception($"The logout token is not accepted: {cause}.");
