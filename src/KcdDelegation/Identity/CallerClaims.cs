using System.Security.Claims;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Identity;

/// <summary>The claims of the caller's authenticated identities, read one way: exactly one value, or an error.</summary>
internal sealed class CallerClaims
{
    private readonly Claim[] _claims;

    private CallerClaims(Claim[] claims) => _claims = claims;

    /// <exception cref="KcdException">Nobody has authenticated (13016).</exception>
    public static CallerClaims From(ClaimsPrincipal caller)
    {
        var authenticated = caller.Identities.Where(identity => identity.IsAuthenticated).ToArray();
        if (authenticated.Length == 0)
            throw DelegationFailure.Identity(KcdEventId.NoIdentity, "The caller is not authenticated, so there is nobody to act as.",
                "Require authentication in front of this call, and pass the principal that it gives.").ToException();
        return new CallerClaims([.. authenticated.SelectMany(identity => identity.Claims)]);
    }

    /// <summary>The one value of a claim that goes by several names; null if there is none.</summary>
    /// <exception cref="KcdException">The claim is there twice, or under two names with different values, or is not text.</exception>
    public string? Find(params IReadOnlyList<string> names)
    {
        Claim? found = null;
        foreach (var name in names)
        {
            // Ordinal, unlike ClaimsIdentity.FindAll: JSON member names that differ in case are different claims.
            var claims = Array.FindAll(_claims, claim => claim.Type == name);
            if (claims.Length > 1)
                throw Ambiguous($"The caller has the claim {PrintableText.Quoted(name)} {claims.Length} times.");
            if (claims is not [var claim])
                continue;
            if (found is not null && found.Value != claim.Value)
                throw Ambiguous($"The caller's claims {PrintableText.Quoted(found.Type)} and {PrintableText.Quoted(name)} have different values.");
            found = claim;
        }
        return found?.Value;
    }

    private static KcdException Ambiguous(string cause) =>
        DelegationFailure.Identity(KcdEventId.ClaimAmbiguous, cause, "Have the issuer send one value, and pass the principal of one sign-in only.").ToException();
}
