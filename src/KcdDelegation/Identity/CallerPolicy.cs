using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Identity;

/// <summary>The rules that decide which callers may be delegated, and as which accounts. Applied to every token, and to every principal,
/// which the host may have authenticated.</summary>
/// <param name="TenantId">The tenant that every caller must name; null: any.</param>
/// <param name="AllowGuests">Whether guests of the tenant may be delegated.</param>
/// <param name="AllowApplicationTokens">Whether applications without a user may be delegated.</param>
/// <param name="AllowBuiltInAccounts">Whether built-in, service and computer accounts may be delegated.</param>
internal sealed record CallerPolicy(string? TenantId, bool AllowGuests, bool AllowApplicationTokens, bool AllowBuiltInAccounts = false)
{
    /// <summary>Checks the caller, before the mapping.</summary>
    /// <exception cref="KcdException">The caller may not be delegated.</exception>
    public void CheckCaller(in CallerClaims claims)
    {
        if (TenantId is not null)
            CheckTenant(claims);
        // Entra: 0 is a member of the tenant, 1 a guest.
        if (claims.FindAccountStatus() is { } status && status != "0" && !AllowGuests)
            throw GuestRefused();
        if (!AllowApplicationTokens && claims.FindTokenKind() == "app")
            throw DelegationFailure.Identity(
                KcdErrorKind.UserNotPermitted, KcdEventId.ApplicationTokenRefused,
                "The caller is an application without a user.",
                "Call with a user's token (on-behalf-of instead of client credentials), or allow it with Kcd:Token:AllowApplicationTokens.")
                .ToException();
    }

    /// <summary>Checks the name, after the mapping.</summary>
    /// <exception cref="KcdException">No caller may be delegated under this name.</exception>
    public void CheckName(KerberosPrincipal user)
    {
        var (account, isService) = (GetAccount(user), IsService(user));
        if (!AllowGuests && NameRules.IsGuest(user.Name))
            throw GuestRefused();
        if (NameRules.IsKdc(account))
            throw DelegationFailure.Identity(
                KcdErrorKind.UserNotPermitted, KcdEventId.BuiltInAccountRefused,
                $"{PrintableText.Quoted(account)} is the account of the KDC itself.",
                "This account is never delegated. Find out how its name came into a token.").ToException();
        if (!AllowBuiltInAccounts && (isService || NameRules.IsBuiltIn(account)))
            throw DelegationFailure.Identity(
                KcdErrorKind.UserNotPermitted, KcdEventId.BuiltInAccountRefused,
                $"{PrintableText.Quoted(account)} is, or may be taken for, a built-in, service or computer account.",
                "Call as a person's own account, or allow it for this application with AllowBuiltInAccounts.").ToException();
    }

    public static KcdException GuestRefused() => DelegationFailure.Identity(
        KcdErrorKind.UserNotPermitted, KcdEventId.GuestRefused,
        "The caller is a guest of the tenant, so another organisation vouches for the name.",
        "Call as a member of the tenant, or allow guests with Kcd:Token:AllowGuests.").ToException();

    private void CheckTenant(in CallerClaims claims)
    {
        var tenant = claims.FindTenant();
        if (tenant is null)
            throw DelegationFailure.Identity(
                KcdErrorKind.Configuration, KcdEventId.TokenTenantWrong,
                $"The caller has no claim tid that names the tenant, which must be {PrintableText.From(TenantId)}.",
                "Pass the claim tid on with the principal, or remove Kcd:Token:TenantId if the issuer has no tenants.").ToException();
        if (tenant != TenantId && !AreSameGuid(tenant, TenantId))
            throw DelegationFailure.Identity(
                KcdErrorKind.UserNotPermitted, KcdEventId.TokenTenantWrong,
                $"The caller belongs to the tenant {PrintableText.Quoted(tenant)}, not to {PrintableText.From(TenantId)}.",
                "Only users of the configured tenant can be delegated: their names are unique in that tenant only.").ToException();
    }

    /// <summary>Compares directory ids, which are GUIDs in either case.</summary>
    private static bool AreSameGuid(string tenant, string? expected) =>
        Guid.TryParseExact(tenant, "D", out var first) && Guid.TryParseExact(expected, "D", out var second) && first == second;

    /// <summary>Returns the part before the @, which a KDC uses as an account's name if it finds no such UPN (MS-KILE
    /// §3.3.5.6.1).</summary>
    private static string GetAccount(KerberosPrincipal user)
    {
        var at = user.Type == PrincipalNameType.Enterprise ? user.Name.IndexOf('@', StringComparison.Ordinal) : -1;
        return at < 0 ? user.Name : user.Name[..at];
    }

    /// <summary>Determines whether the name is a service's: host/dc1.contoso.com belongs to DC1$ (RFC 4120 §6.2.1).</summary>
    private static bool IsService(KerberosPrincipal user) =>
        user.Type == PrincipalNameType.ServiceInstance
            || (user.Type == PrincipalNameType.Principal && user.Name.Contains('/', StringComparison.Ordinal));
}
