using System.Security.Claims;
using KcdDelegation.Identity;
using KcdDelegation.Settings;

namespace KcdDelegation.Token;

/// <summary>Validates tokens of one issuer and tenant, and returns principals with the original claim names. Thread-safe.</summary>
/// <remarks>Of a token, only its good signature and its claims are remembered (decision 0007). All other checks are in
/// <see cref="CheckClaims"/>, which runs for each request.</remarks>
internal sealed class TokenValidator(TokenSettings settings, SigningKeys keys, TimeProvider timeProvider)
{
    /// <summary>The tolerated difference between the issuer's clock and the local clock.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(2);

    /// <summary>Validates a token of a kind and returns its principal.</summary>
    /// <param name="token">The token in compact form.</param>
    /// <param name="kind">The kind that the host expects. Nothing in the token chooses it.</param>
    /// <param name="nonce">The value of <c>nonce</c> that an ID token must have; null if the host checks it.</param>
    /// <param name="cancellationToken">Cancels the wait for keys.</param>
    /// <exception cref="KcdException">The token is not accepted, or the issuer's keys cannot be loaded (transient).</exception>
    public ValueTask<ClaimsPrincipal> ValidateAsync(
        ReadOnlyMemory<char> token, TokenKind kind, string? nonce, CancellationToken cancellationToken)
    {
        // Read once: the look-up may start a refresh, and this token is still checked with the current keys.
        var current = keys.FindCurrent();
        return TokenHash.TryCreate(token.Span, out var hash) && current?.Verified.Find(hash) is { } claims
            ? ValueTask.FromResult(CheckClaims(claims, current, kind, nonce))
            : VerifyAsync(CompactToken.Parse(token.ToString()), hash, current, kind, nonce, cancellationToken);
    }

    /// <summary>Validates the signature, the times, the issuer and the audience of a logout token (OpenID Connect Back-Channel Logout 1.0
    /// §2.6), and returns its claims. The host checks what it says about the logout.</summary>
    /// <remarks>The token is not one of those that are remembered, and is not remembered: it must never be an ID token.</remarks>
    /// <param name="token">The token in compact form.</param>
    /// <param name="cancellationToken">Cancels the wait for keys.</param>
    /// <exception cref="KcdException">The token is not accepted, or the issuer's keys cannot be loaded (transient).</exception>
    public async ValueTask<ClaimsPrincipal> ValidateLogoutTokenAsync(string token, CancellationToken cancellationToken)
    {
        var compact = CompactToken.Parse(token, CompactToken.LogoutTokenType);
        CheckSignature(compact, await keys.FindAsync(compact.KeyId, cancellationToken).ConfigureAwait(false));
        CheckTimes(compact.Claims);
        if (compact.Claims.IssuedAt is null)
            throw TokenRefusal.Malformed("it has no iat");
        CheckClient(compact.Claims);
        return compact.Claims.CreatePrincipal(AuthenticationTypes.LogoutToken);
    }

    /// <summary>Verifies the signature of a token that is not remembered, and checks its claims. Remembers it if it is accepted.</summary>
    private async ValueTask<ClaimsPrincipal> VerifyAsync(
        CompactToken compact, TokenHash hash, IssuerKeys? current, TokenKind kind, string? nonce, CancellationToken cancellationToken)
    {
        var issuer = current?.ById.ContainsKey(compact.KeyId) == true
            ? current
            : await keys.FindAsync(compact.KeyId, cancellationToken).ConfigureAwait(false);
        CheckSignature(compact, issuer);
        var caller = CheckClaims(compact.Claims, issuer, kind, nonce);
        issuer.Verified.Add(hash, compact.Claims);
        return caller;
    }

    private static void CheckSignature(CompactToken token, IssuerKeys issuer)
    {
        var key = issuer.Find(token.KeyId, token.Algorithm);
        if (!key.IsSignature(token.Algorithm, token.SignedText, token.Signature))
            throw TokenRefusal.SignatureWrong();
        if (!key.CanSignFor(token.Claims, issuer.Issuer))
            throw TokenRefusal.KeyIssuerWrong(token.KeyId, key.Issuer!, token.Claims.Issuer);
    }

    private ClaimsPrincipal CheckClaims(TokenClaims claims, IssuerKeys issuer, TokenKind kind, string? nonce)
    {
        CheckTimes(claims);
        if (kind == TokenKind.IdToken)
            CheckIdToken(claims, nonce);
        else
            CheckAccessToken(claims, issuer);
        // The tenant counts only under its name in tokens.
        if (settings.Callers.TenantId is { } tenant && !claims.HasTenant)
            throw TokenRefusal.TenantWrong(tenant);

        var caller = claims.CreatePrincipal(kind == TokenKind.IdToken ? AuthenticationTypes.IdToken : AuthenticationTypes.AccessToken);
        var policyClaims = CallerClaims.Read(caller, []);
        settings.Callers.CheckCaller(policyClaims);
        if (kind == TokenKind.AccessToken && settings.RequiresScope)
            settings.Callers.CheckScopeOrRole(policyClaims);
        return caller;
    }

    private void CheckTimes(TokenClaims claims)
    {
        var now = timeProvider.GetUtcNow();
        // The tolerance is subtracted from the current time, since the latest time of all cannot be increased.
        if (now - ClockTolerance >= claims.Expires)
            throw TokenRefusal.Expired();
        if (claims.NotBefore > now + ClockTolerance || claims.IssuedAt > now + ClockTolerance)
            throw TokenRefusal.NotYetValid();
    }

    private void CheckAccessToken(TokenClaims claims, IssuerKeys issuer)
    {
        var audience = settings.Audience ?? throw TokenRefusal.KindNotConfigured("access tokens", "Kcd:Token:Audience");
        if (claims.IsIdToken)
            throw TokenRefusal.KindWrong("The token is an ID token, and an access token is required.",
                "Send the access token that the issuer gives for this gateway's scope.");
        if (claims.Issuer is null || (claims.Issuer != settings.Issuer && claims.Issuer != issuer.AccessTokenIssuer))
            throw TokenRefusal.IssuerWrong(claims.Issuer, settings.Issuer, issuer.AccessTokenIssuer);
        if (!claims.Audiences.Contains(audience, StringComparer.Ordinal))
            throw TokenRefusal.AudienceWrong(claims.Audiences, audience, "Kcd:Token:Audience");
    }

    /// <summary>Checks what OpenID Connect Core 1.0 §3.1.3.7 demands of an ID token.</summary>
    private void CheckIdToken(TokenClaims claims, string? nonce)
    {
        var client = CheckClient(claims);
        if (claims.HasAuthorizedParty ? claims.AuthorizedParty != client : claims.Audiences.Length > 1)
            throw TokenRefusal.AuthorizedPartyWrong(claims.AuthorizedParty, client);
        if (nonce is not null && claims.Nonce != nonce)
            throw TokenRefusal.NonceWrong();
    }

    /// <summary>Checks that the issuer sent the token to the client of the settings, and returns the client.</summary>
    private string CheckClient(TokenClaims claims)
    {
        var client = settings.ClientId ?? throw TokenRefusal.KindNotConfigured("ID tokens", "Kcd:Token:ClientId");
        if (claims.IsAccessToken)
            throw TokenRefusal.KindWrong("The token is an access token, and an ID token is required.",
                "Pass the id_token of the issuer's response.");
        if (claims.Issuer != settings.Issuer)
            throw TokenRefusal.IssuerWrong(claims.Issuer, settings.Issuer, accessTokenIssuer: null);
        return claims.Audiences.Contains(client, StringComparer.Ordinal)
            ? client : throw TokenRefusal.AudienceWrong(claims.Audiences, client, "Kcd:Token:ClientId");
    }
}
