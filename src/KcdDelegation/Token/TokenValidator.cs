using System.Security.Claims;
using KcdDelegation.Identity;
using KcdDelegation.Settings;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Token;

/// <summary>Token text to an authenticated principal with raw claim names, for one issuer, tenant and audience. Thread-safe. The result is
/// never cached: a token is good only while it is good.</summary>
internal sealed class TokenValidator(TokenSettings settings, SigningKeys keys, TimeProvider timeProvider)
{
    /// <summary>Tolerated between the issuer's clock and ours.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(2);

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = CompactToken.MaxLength };

    /// <exception cref="KcdException">The token is not believed, or the issuer's keys cannot be had (then it is transient).</exception>
    public async ValueTask<ClaimsPrincipal> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        var compact = CompactToken.Parse(token);
        var key = await keys.FindAsync(compact.KeyId, cancellationToken).ConfigureAwait(false);
        var result = await _handler.ValidateTokenAsync(token, Parameters(key)).ConfigureAwait(false);
        if (!result.IsValid)
            throw Refusal(result.Exception);
        if (compact.IssuedAt is { } issuedAt && DateTimeOffset.FromUnixTimeSeconds(issuedAt) > timeProvider.GetUtcNow() + ClockTolerance)
            throw TokenRefusal.NotYetValid();

        var caller = new ClaimsPrincipal(result.ClaimsIdentity);
        var claims = CallerClaims.Read(caller, []);
        if (settings.Callers.TenantId is { } tenant && claims.FindRawTenant() is null)
            throw TokenRefusal.TenantWrong(tenant);
        settings.Callers.CheckCaller(claims);
        return caller;
    }

    private TokenValidationParameters Parameters(SecurityKey key) => new()
    {
        AuthenticationType = "Bearer",
        ValidIssuer = settings.Issuer,
        ValidAudience = settings.Audience,
        // "api://gateway/" is another audience than "api://gateway".
        IgnoreTrailingSlashWhenValidatingAudience = false,
        ValidAlgorithms = CompactToken.Algorithms,
        IssuerSigningKey = key,
        // The library would else try every key for a kid that it does not find.
        TryAllIssuerSigningKeys = false,
        LifetimeValidator = CheckLifetime,
        // Failures must not carry the token into a log.
        IncludeTokenOnFailedValidation = false,
        LogValidationExceptions = false,
        NameClaimType = "sub",
        RoleClaimType = "roles",
    };

    /// <summary>The library's own check reads the machine's clock.</summary>
    private bool CheckLifetime(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        var now = timeProvider.GetUtcNow().UtcDateTime;
        if (expires is null || now >= expires.Value + ClockTolerance)
            throw new SecurityTokenExpiredException();
        if (notBefore is { } start && start > now + ClockTolerance)
            throw new SecurityTokenNotYetValidException();
        return true;
    }

    /// <summary>Says what is wrong in our words: the library's quote parts of the token at any length.</summary>
    private KcdException Refusal(Exception error) => error switch
    {
        SecurityTokenExpiredException => TokenRefusal.Expired(),
        SecurityTokenNotYetValidException => TokenRefusal.NotYetValid(),
        SecurityTokenInvalidIssuerException => TokenRefusal.IssuerWrong(settings.Issuer),
        SecurityTokenInvalidAudienceException => TokenRefusal.AudienceWrong(settings.Audience),
        SecurityTokenInvalidSignatureException => TokenRefusal.SignatureWrong(),
        _ => TokenRefusal.Malformed("it cannot be validated"),
    };
}
