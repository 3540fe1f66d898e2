using System.Security.Claims;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>Determines whether two principals are of one user, such as the one of a cookie and the one of a bearer token.</summary>
/// <remarks>The strongest identifier that both have decides. Each has two names: the one in the token, and the one that .NET maps it to. An
/// identifier is unique for its issuer or tenant only, so these must not differ either.</remarks>
internal static class SameUser
{
    private static readonly string[] Tenant = ["tid", "http://schemas.microsoft.com/identity/claims/tenantid"];

    private static readonly string[] Issuer = ["iss"];

    private static readonly string[][] Identifiers =
    [
        ["oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"],
        ["sub", ClaimTypes.NameIdentifier],
        ["upn", ClaimTypes.Upn],
        ["onprem_sam_account_name", "onpremisessamaccountname", ClaimTypes.WindowsAccountName],
        ["name", ClaimTypes.Name],
    ];

    public static bool Is(ClaimsPrincipal first, ClaimsPrincipal second)
    {
        if (ReferenceEquals(first, second))
            return true;
        if (Differ(first, second, Tenant) || Differ(first, second, Issuer))
            return false;
        foreach (var names in Identifiers)
        {
            if (Find(first, names) is { } value && Find(second, names) is { } other)
                return string.Equals(value, other, StringComparison.Ordinal);
        }
        return false;
    }

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
