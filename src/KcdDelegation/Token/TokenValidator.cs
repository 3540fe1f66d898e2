using System.Security.Claims;
using KcdDelegation.Identity;
using KcdDelegation.Settings;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Token;

/// <summary>Validates tokens of one issuer, tenant and audience, and returns principals with the original claim names.
/// Thread-safe.</summary>
/// <remarks>Results are not cached, because a token must be checked for expiry at each use.</remarks>
internal sealed class TokenValidator(TokenSettings settings, SigningKeys keys, TimeProvider timeProvider)
{
    /// <summary>The tolerated difference between the issuer's clock and the local clock.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(2);

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = CompactToken.MaxLength };

    /// <summary>Validates a token and returns its principal.</summary>
    /// <exception cref="KcdException">The token is not accepted, or the issuer's keys cannot be loaded (transient).</exception>
    public async ValueTask<ClaimsPrincipal> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        var compact = CompactToken.Parse(token);
        var key = await keys.FindAsync(compact.KeyId, cancellationToken).ConfigureAwait(false);
        var result = await _handler.ValidateTokenAsync(token, CreateParameters(key)).ConfigureAwait(false);
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

    private TokenValidationParameters CreateParameters(SecurityKey key) => new()
    {
        AuthenticationType = "Bearer",
        ValidIssuer = settings.Issuer,
        ValidAudience = settings.Audience,
        // "api://gateway/" is another audience than "api://gateway".
        IgnoreTrailingSlashWhenValidatingAudience = false,
        ValidAlgorithms = CompactToken.Algorithms,
        IssuerSigningKey = key,
        // Otherwise the library would try every key if it does not find the kid.
        TryAllIssuerSigningKeys = false,
        LifetimeValidator = CheckLifetime,
        // Failures must not write the token to a log.
        IncludeTokenOnFailedValidation = false,
        LogValidationExceptions = false,
        NameClaimType = "sub",
        RoleClaimType = "roles",
    };

    /// <summary>Validates the lifetime with the injected time source. The library's own check reads the system's clock.</summary>
    private bool CheckLifetime(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        var now = timeProvider.GetUtcNow().UtcDateTime;
        if (expires is null || now >= expires.Value + ClockTolerance)
            throw new SecurityTokenExpiredException();
        if (notBefore is { } start && start > now + ClockTolerance)
            throw new SecurityTokenNotYetValidException();
        return true;
    }

    /// <summary>Creates the exception for a failure of the library, whose own messages quote parts of the token without a limit.</summary>
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
