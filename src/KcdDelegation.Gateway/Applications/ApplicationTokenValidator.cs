using System.Security.Claims;
using KcdDelegation.AspNetCore.Bearer;
using KcdDelegation.Diagnosis;
using KcdDelegation.Gateway.IdentityProviders;
using KcdDelegation.Gateway.Requests;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Applications;

/// <summary>Validates the bearer token of a request with the identity provider of its application. Tokens of other providers are not
/// accepted there.</summary>
internal sealed class ApplicationTokenValidator(ProviderRegistry providers) : IAccessTokenValidator
{
    public ValueTask<ClaimsPrincipal> ValidateAsync(HttpContext context, ReadOnlyMemory<char> token)
    {
        var name = context.GetGatewayApplication().Provider;
        return providers.Find(name) is { } provider
            ? provider.ValidateAccessTokenAsync(token, context.RequestAborted)
            // The settings have changed since the request began.
            : throw new DelegationFailure(
                KcdStage.Identity, KcdErrorKind.Unavailable, KcdEventId.TokenNotConfigured,
                "The identity provider of the application was removed from the settings while the request was waiting.",
                "Send the request again.").ToException();
    }
}
