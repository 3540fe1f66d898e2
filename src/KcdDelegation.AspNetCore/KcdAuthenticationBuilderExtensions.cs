using KcdDelegation;
using KcdDelegation.AspNetCore;
using KcdDelegation.AspNetCore.Bearer;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers authentication by bearer token with the validation of <see cref="DelegationClient"/>.</summary>
public static class KcdAuthenticationBuilderExtensions
{
    private static readonly string[] s_scopeClaims = ["scp", "scope", "http://schemas.microsoft.com/identity/claims/scope"];

    /// <summary>Adds the scheme that accepts the access tokens of <c>Kcd:Token</c>.</summary>
    /// <remarks>Claims keep the names that they have in the token. Challenges follow RFC 6750 without any detail. Includes
    /// <see cref="KcdAspNetCoreServiceCollectionExtensions.AddKcdAspNetCore"/>.</remarks>
    /// <param name="builder">The authentication of the host.</param>
    /// <param name="scheme">The name of the scheme. Change it only to register two.</param>
    public static AuthenticationBuilder AddKcdBearer(
        this AuthenticationBuilder builder, string scheme = KcdBearerDefaults.AuthenticationScheme)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(scheme);
        builder.Services.AddKcdAspNetCore();
        builder.Services.TryAddSingleton<IAccessTokenValidator, ClientTokenValidator>();
        return builder.AddScheme<AuthenticationSchemeOptions, KcdBearerHandler>(scheme, static _ => { });
    }

    /// <summary>Requires one of the scopes. A token without them is answered with <c>insufficient_scope</c>.</summary>
    /// <param name="builder">The policy.</param>
    /// <param name="allowed">The scopes, such as <c>access_as_user</c>. They are compared exactly.</param>
    public static AuthorizationPolicyBuilder RequireKcdScope(this AuthorizationPolicyBuilder builder, params string[] allowed)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(allowed);
        // RFC 6749 §3.3: the scopes of a token are one string, separated by spaces.
        return builder.RequireAssertion(context => context.User.Claims
            .Where(claim => s_scopeClaims.Contains(claim.Type, StringComparer.Ordinal))
            .SelectMany(claim => claim.Value.Split(' '))
            .Any(scope => allowed.Contains(scope, StringComparer.Ordinal)));
    }
}
