using System.Security.Claims;
using KcdDelegation.Gateway.IdentityProviders;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>Replaces the platform's validation of ID tokens by that of the library, which pins issuer, audience, algorithms and
/// keys.</summary>
internal sealed class ProviderTokenHandler(IdentityProvider provider) : TokenHandler
{
    /// <summary>Validates an ID token. The nonce is compared later, when the state of the sign-in is known.</summary>
    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        try
        {
            var user = await provider.ValidateIdTokenAsync(token, nonce: null, CancellationToken.None);
            return new TokenValidationResult
            {
                IsValid = true,
                ClaimsIdentity = (ClaimsIdentity)user.Identity!,
                SecurityToken = new JsonWebToken(token),
            };
        }
        catch (KcdException refusal)
        {
            return new TokenValidationResult { IsValid = false, Exception = refusal };
        }
    }

    public override SecurityToken ReadToken(string token) => new JsonWebToken(token);
}
