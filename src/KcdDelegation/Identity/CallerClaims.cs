using System.Collections.Immutable;
using System.Security.Claims;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Identity;

/// <summary>The claims that delegation depends on, out of all claims of the caller's authenticated identities. Each has exactly one value, or
/// reading it is an error.</summary>
internal readonly struct CallerClaims
{
    /// <summary>A caller has seven of them at most, unless the issuer repeats one.</summary>
    private const int Capacity = 8;

    private readonly List<Claim> _claims;
    private readonly ImmutableArray<string> _names;

    private CallerClaims(List<Claim> claims, ImmutableArray<string> names) => (_claims, _names) = (claims, names);

    /// <summary>Reads the claims in one pass.</summary>
    /// <param name="caller">The caller, of whose identities only the authenticated ones count.</param>
    /// <param name="names">The names of the claim that carries the login identity; empty if it is not read.</param>
    /// <exception cref="KcdException">The caller is not authenticated (13016).</exception>
    public static CallerClaims Read(ClaimsPrincipal caller, ImmutableArray<string> names)
    {
        List<Claim>? claims = null;
        foreach (var identity in caller.Identities)
        {
            if (!identity.IsAuthenticated)
                continue;
            claims ??= new List<Claim>(Capacity);
            foreach (var claim in identity.Claims)
            {
                if (ClaimSources.IsPolicyClaim(claim.Type) || names.Contains(claim.Type))
                    claims.Add(claim);
            }
        }
        return claims is not null ? new CallerClaims(claims, names) : throw DelegationFailure.Identity(
            KcdEventId.NoIdentity,
            "The caller is not authenticated, so there is no user to delegate.",
            "Require authentication before this call, and pass the principal that it gives.").ToException();
    }

    /// <summary>Returns the login identity's claim; null if there is none.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindName() => Find(_names);

    /// <inheritdoc cref="FindName"/>
    public string? FindTenant() => Find(ClaimSources.Tenant);

    /// <summary>Returns the tenant under its raw name, as tokens carry it; null if there is none.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindRawTenant() => FindOne(ClaimSources.RawTenant)?.Value;

    /// <inheritdoc cref="FindName"/>
    public string? FindAccountStatus() => Find(ClaimSources.AccountStatus);

    /// <inheritdoc cref="FindName"/>
    public string? FindTokenKind() => Find(ClaimSources.TokenKind);

    /// <inheritdoc cref="FindName"/>
    public string? FindSecurityIdentifier() => Find(ClaimSources.SecurityIdentifier);

    /// <summary>Returns the value of a claim that has several names.</summary>
    private string? Find(ImmutableArray<string> names)
    {
        Claim? found = null;
        foreach (var name in names)
        {
            if (FindOne(name) is not { } claim)
                continue;
            if (found is not null && found.Value != claim.Value)
                throw Ambiguous($"The caller's claims {PrintableText.Quoted(found.Type)} and {PrintableText.Quoted(name)} have different values.");
            found = claim;
        }
        return found?.Value;
    }

    /// <summary>Ordinal, unlike ClaimsIdentity.FindAll: JSON member names that differ in case are different claims.</summary>
    private Claim? FindOne(string name)
    {
        Claim? found = null;
        var count = 0;
        foreach (var claim in _claims)
        {
            if (claim.Type == name)
                (found, count) = (claim, count + 1);
        }
        return count <= 1 ? found : throw Ambiguous($"The caller has the claim {PrintableText.Quoted(name)} {count} times.");
    }

    private static KcdException Ambiguous(string cause) => DelegationFailure.Identity(
        KcdEventId.ClaimAmbiguous, cause, "Have the issuer send one value, and pass the principal of one sign-in only.").ToException();
}
