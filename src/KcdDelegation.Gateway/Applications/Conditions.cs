using System.Security.Claims;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Identity;

namespace KcdDelegation.Gateway.Applications;

/// <summary>The conditions that an application has for its users.</summary>
internal static class Conditions
{
    private static readonly string[] s_scopeClaims = ["scp", "scope"];

    /// <summary>Returns the first condition that the user does not meet; null if the user meets all.</summary>
    /// <remarks>The step-up comes last: it does not help a user who may not use the application at all.</remarks>
    public static UnmetCondition? FindUnmet(GatewayApplication application, ClaimsPrincipal user)
    {
        if (IsAccessToken(user) && application.RequiredScopes.FirstOrDefault(scope => !HasScope(user, scope)) is { } missing)
            return new UnmetCondition(ConditionKind.Scope, $"the token does not have the scope {missing} (RequiredScopes)");
        if (!application.RequiredGroups.IsEmpty && !HasAny(user, "groups", application.RequiredGroups))
            return new UnmetCondition(ConditionKind.Claim, HasGroupOverage(user)
                ? "the token names too many groups to list them (RequiredGroups); restrict its groups to those assigned to the application"
                : "the user is in none of the required groups (RequiredGroups)");
        foreach (var claim in application.RequiredClaims)
        {
            if (claim.Values.IsEmpty ? user.FindFirst(claim.Type) is null : !HasAny(user, claim.Type, claim.Values))
                return new UnmetCondition(ConditionKind.Claim,
                    $"the claim {claim.Type} has no allowed value (RequiredClaims:{claim.Type})");
        }
        return application.RequiredAcr is { } acr && !HasAny(user, "acr", [acr]) && !HasAny(user, "acrs", [acr])
            ? new UnmetCondition(ConditionKind.Authentication, $"the sign-in does not have the acr {acr} (RequiredAcr)")
            : null;
    }

    /// <summary>Determines whether the user comes from an access token. ID tokens have no scopes.</summary>
    private static bool IsAccessToken(ClaimsPrincipal user) => user.Identity?.AuthenticationType != AuthenticationTypes.IdToken;

    // RFC 6749 §3.3: the scopes of a token are one string, separated by spaces.
    private static bool HasScope(ClaimsPrincipal user, string scope) => user.Claims
        .Where(claim => s_scopeClaims.Contains(claim.Type, StringComparer.Ordinal))
        .SelectMany(claim => claim.Value.Split(' '))
        .Contains(scope, StringComparer.Ordinal);

    private static bool HasAny(ClaimsPrincipal user, string type, IEnumerable<string> values) =>
        values.Any(value => user.HasClaim(
            claim => string.Equals(claim.Type, type, StringComparison.Ordinal)
                && string.Equals(claim.Value, value, StringComparison.Ordinal)));

    /// <summary>Determines whether Microsoft Entra replaced the groups by a reference, because there are too many.</summary>
    private static bool HasGroupOverage(ClaimsPrincipal user) =>
        user.HasClaim(static claim => claim.Type is "hasgroups" or "_claim_names");
}

/// <summary>A condition that a user does not meet.</summary>
/// <param name="Kind">What the client can do about it.</param>
/// <param name="Text">The condition, for the log.</param>
internal sealed record UnmetCondition(ConditionKind Kind, string Text);

/// <summary>The kinds of conditions.</summary>
internal enum ConditionKind
{
    /// <summary>A scope of the token. A client can request another token.</summary>
    Scope,

    /// <summary>A group or another claim of the user.</summary>
    Claim,

    /// <summary>The way in which the user has authenticated. The user can authenticate again.</summary>
    Authentication,
}
