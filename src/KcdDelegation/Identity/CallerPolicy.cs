using System.Collections.Immutable;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Identity;

/// <summary>Which callers may be delegated at all. Asked of every token, and again of every principal, which the host may have
/// authenticated.</summary>
/// <param name="TenantId">The tenant that every caller must belong to, and say so; null: any.</param>
/// <param name="AllowGuests">Whether guests of the tenant may.</param>
/// <param name="AllowApplicationTokens">Whether applications without a user may.</param>
internal sealed record CallerPolicy(string? TenantId, bool AllowGuests, bool AllowApplicationTokens)
{
    /// <summary>Raw, and as .NET's inbound claim mapping names it.</summary>
    public static readonly ImmutableArray<string> TenantClaims = ["tid", "http://schemas.microsoft.com/identity/claims/tenantid"];

    /// <exception cref="KcdException">The caller may not.</exception>
    public void Check(CallerClaims claims)
    {
        if (TenantId is not null)
            CheckTenant(claims.Find(TenantClaims));
        // Entra: 0 is a member of the tenant, 1 a guest.
        if (claims.Find("acct") is { } account && account != "0")
            RefuseGuest();
        if (!AllowApplicationTokens && claims.Find("idtyp") == "app")
            throw DelegationFailure.Identity(KcdEventId.ApplicationTokenRefused, "The caller is an application without a user.",
                "Call with a user's token (on-behalf-of instead of client credentials), or allow it with Kcd:Token:AllowApplicationTokens.").ToException();
    }

    /// <summary>Entra names guests <c>name_home.example#EXT#@tenant.onmicrosoft.com</c>.</summary>
    /// <exception cref="KcdException">It is a guest's name, and guests may not.</exception>
    public void CheckName(string account)
    {
        if (account.Contains("#EXT#", StringComparison.OrdinalIgnoreCase))
            RefuseGuest();
    }

    private void CheckTenant(string? theirs)
    {
        if (theirs is null)
            throw DelegationFailure.Identity(KcdEventId.TokenTenantWrong, $"The caller does not say which tenant they belong to (claim tid), and it has to be {PrintableText.From(TenantId)}.",
                "Pass the claim tid on with the principal, or remove Kcd:Token:TenantId if the issuer has no tenants.").ToException();
        if (theirs != TenantId && !AreSameGuid(theirs, TenantId))
            throw DelegationFailure.Identity(KcdEventId.TokenTenantWrong, $"The caller belongs to the tenant {PrintableText.Quoted(theirs)}, not to {PrintableText.From(TenantId)}.",
                "Only users of the configured tenant can be delegated: their names are unique there only.").ToException();
    }

    /// <summary>Directory ids are GUIDs, which people write in either case.</summary>
    private static bool AreSameGuid(string theirs, string? ours) =>
        Guid.TryParseExact(theirs, "D", out var first) && Guid.TryParseExact(ours, "D", out var second) && first == second;

    private void RefuseGuest()
    {
        if (!AllowGuests)
            throw DelegationFailure.Identity(KcdEventId.GuestRefused, "The caller is a guest of the tenant, so another organisation vouches for the name.",
                "Call as a member of the tenant, or allow guests with Kcd:Token:AllowGuests.").ToException();
    }
}
