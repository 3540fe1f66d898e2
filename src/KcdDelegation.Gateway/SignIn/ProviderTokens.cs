using System.Globalization;
using System.Security.Claims;
using KcdDelegation.Gateway.IdentityProviders;
using KcdDelegation.Gateway.Sessions;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The validated tokens of a sign-in or of a refresh.</summary>
/// <param name="User">The user of the ID token.</param>
/// <param name="Caller">The user who is delegated, of the token that the settings name.</param>
internal sealed record ProviderTokens(ClaimsPrincipal User, ClaimsPrincipal Caller)
{
    /// <summary>The longest life of tokens that is taken from an answer.</summary>
    private const double MaxSeconds = 30 * 24 * 3600;

    /// <summary>The identifiers of a user, the strongest first. Both tokens are of the same answer and issuer.</summary>
    private static readonly string[] s_identifiers = ["oid", "sub", "upn"];

    /// <summary>Validates the ID token, and the access token if the settings name it.</summary>
    /// <exception cref="KcdException">A token is not accepted.</exception>
    /// <exception cref="SignInException">The tokens are of two users, or the access token is missing.</exception>
    public static async Task<ProviderTokens> ValidateAsync(
        IdentityProvider provider, string idToken, string? nonce, string? accessToken, CancellationToken cancellationToken)
    {
        var user = await provider.ValidateIdTokenAsync(idToken, nonce, cancellationToken);
        if (provider.Settings.SignIn?.Caller != TokenKind.AccessToken)
            return new ProviderTokens(user, user);
        if (string.IsNullOrEmpty(accessToken))
            throw new SignInException(SignInFailure.AnswerRefused, "The answer has no access token, which SignIn:Caller names.");
        var caller = await provider.ValidateAccessTokenAsync(accessToken.AsMemory(), cancellationToken);
        return IsSameUser(user, caller)
            ? new ProviderTokens(user, caller)
            : throw new SignInException(SignInFailure.AnswerRefused, "The ID token and the access token are of two users.");
    }

    /// <summary>Determines whether the user has authenticated in the required way: <c>acr</c>, or <c>acrs</c> of Microsoft
    /// Entra.</summary>
    public static bool HasAcr(ClaimsPrincipal user, string acr) =>
        user.HasClaim(claim => claim.Type is "acr" or "acrs" && string.Equals(claim.Value, acr, StringComparison.Ordinal));

    /// <summary>Sets the end of the tokens, and the time of their refresh before it.</summary>
    public static SessionTicket SetLife(SessionTicket session, string? expiresIn, ClaimsPrincipal caller, DateTimeOffset now)
    {
        var end = double.TryParse(expiresIn, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            ? now.AddSeconds(Math.Min(seconds, MaxSeconds))
            : FindExpiry(caller);
        // Both end: the shorter one, if the session must not outlive the access token.
        if (session.EndsWithTokens && FindExpiry(caller) is { } expiry && (end is null || expiry < end))
            end = expiry;
        return session with { TokensEnd = end, RefreshAt = end is { } at && at > now ? now + ((at - now) * 0.8) : end };
    }

    private static DateTimeOffset? FindExpiry(ClaimsPrincipal caller) =>
        double.TryParse(caller.FindFirst("exp")?.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            && seconds < DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null;

    /// <summary>Determines whether two principals of one issuer are of the same user.</summary>
    public static bool IsSameUser(ClaimsPrincipal user, ClaimsPrincipal caller)
    {
        foreach (var identifier in s_identifiers)
        {
            if (user.FindFirst(identifier) is { } first && caller.FindFirst(identifier) is { } second)
                return string.Equals(first.Value, second.Value, StringComparison.Ordinal);
        }
        return false;
    }
}
