using System.Security.Claims;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>Determines whether two principals are of one user, such as the one of a cookie and the one of a bearer token.</summary>
/// <remarks>The strongest identifier that both have decides. Each has two names: the one in the token, and the one that .NET maps it to. An
/// identifier is unique for its issuer or tenant only, so these must not differ either. An object identifier with its tenant is unique for
/// all issuers: Microsoft Entra ID has one issuer for each version of its tokens.</remarks>
internal static class SameUser
{
    private static readonly string[] Tenant = ["tid", "http://schemas.microsoft.com/identity/claims/tenantid"];

    private static readonly string[] Issuer = ["iss"];

    private static readonly string[] ObjectIdentifier = ["oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"];

    private static readonly string[][] Identifiers =
    [
        ObjectIdentifier,
        ["sub", ClaimTypes.NameIdentifier],
        ["upn", ClaimTypes.Upn],
        ["onprem_sam_account_name", "onpremisessamaccountname", ClaimTypes.WindowsAccountName],
        ["name", ClaimTypes.Name],
    ];

    public static bool Is(ClaimsPrincipal first, ClaimsPrincipal second)
    {
        if (ReferenceEquals(first, second))
            return true;
        if (Differ(first, second, Tenant))
            return false;
        var isUniqueForAllIssuers = HaveBoth(first, second, Tenant) && HaveBoth(first, second, ObjectIdentifier);
        if (!isUniqueForAllIssuers && Differ(first, second, Issuer))
            return false;
        foreach (var names in Identifiers)
        {
            if (Find(first, names) is { } value && Find(second, names) is { } other)
                return string.Equals(value, other, StringComparison.Ordinal);
        }
        return false;
    }

    /// <summary>Creates a principal that has only the claims that are compared.</summary>
    public static ClaimsPrincipal CopyIdentifiers(ClaimsPrincipal user)
    {
        string[] names = [.. Tenant, .. Issuer, .. Identifiers.SelectMany(static identifier => identifier)];
        return new ClaimsPrincipal(new ClaimsIdentity(user.Claims
            .Where(claim => names.Contains(claim.Type, StringComparer.OrdinalIgnoreCase))
            .Select(static claim => new Claim(claim.Type, claim.Value))));
    }

    private static bool HaveBoth(ClaimsPrincipal first, ClaimsPrincipal second, string[] names) =>
        Find(first, names) is not null && Find(second, names) is not null;

    private static bool Differ(ClaimsPrincipal first, ClaimsPrincipal second, string[] names) =>
        Find(first, names) is { } value && Find(second, names) is { } other && !string.Equals(value, other, StringComparison.Ordinal);

    private static string? Find(ClaimsPrincipal principal, string[] names)
    {
        foreach (var name in names)
        {
            if (principal.FindFirst(name) is { } claim)
                return claim.Value;
        }
        return null;
    }
}
