using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Claims;

namespace KcdDelegation.Identity;

/// <summary>The names of the claims that delegation reads: the raw JWT names, and the URIs that .NET's inbound claim mapping and SAML
/// use.</summary>
internal static class ClaimSources
{
    /// <summary>The largest number of names that one login identity's claim has.</summary>
    public const int MaxNames = 3;

    /// <summary>The tenant that the caller belongs to.</summary>
    public const string Tenant = "tid";

    /// <summary>The name that .NET maps <see cref="Tenant"/> to.</summary>
    public const string MappedTenant = "http://schemas.microsoft.com/identity/claims/tenantid";

    /// <summary>Whether the caller is a member or a guest of the tenant.</summary>
    public const string AccountStatus = "acct";

    /// <summary>Whether the caller is a user, an application or a device.</summary>
    public const string IdentityType = "idtyp";

    /// <summary>The directory that authenticated the caller, if it is not the tenant's own.</summary>
    public const string IdentityProvider = "idp";

    /// <summary>The name that .NET maps <see cref="IdentityProvider"/> to.</summary>
    public const string MappedIdentityProvider = "http://schemas.microsoft.com/identity/claims/identityprovider";

    /// <summary>The issuer of the token.</summary>
    public const string Issuer = "iss";

    /// <summary>The identifier of the caller's object in the directory.</summary>
    public const string ObjectIdentifier = "oid";

    /// <summary>The name that .NET maps <see cref="ObjectIdentifier"/> to.</summary>
    public const string MappedObjectIdentifier = "http://schemas.microsoft.com/identity/claims/objectidentifier";

    /// <summary>The identifier of the caller.</summary>
    public const string Subject = "sub";

    /// <summary>The name that .NET maps <see cref="Subject"/> to.</summary>
    public const string MappedSubject = ClaimTypes.NameIdentifier;

    /// <summary>The SID of the on-premises account (Entra: included in version 1.0 tokens, optional in 2.0). The account that the KDC finds
    /// must have it.</summary>
    public const string SecurityIdentifier = "onprem_sid";

    /// <summary>The DNS name of the account's domain, from a claims mapping policy. .NET does not rename it.</summary>
    public const string DnsDomain = "dnsdomainname";

    /// <summary>The DNS name of the account's domain on premises, from a claims mapping policy.</summary>
    public const string OnPremisesDomain = "onpremisesdomainname";

    /// <summary>The NetBIOS name of the account's domain, from a claims mapping policy.</summary>
    public const string NetBiosDomain = "netbiosname";

    /// <summary>The name of <see cref="SecurityIdentifier"/> as a source of a claims mapping policy.</summary>
    public const string OnPremisesSecurityIdentifier = "onpremisessecurityidentifier";

    /// <summary>The same source, as Entra's reference of claims mapping policies spells it.</summary>
    public const string OnPremiseSecurityIdentifier = "onpremisesecurityidentifier";

    // The name that .NET maps scp to.
    private const string MappedScope = "http://schemas.microsoft.com/identity/claims/scope";

    private static readonly ImmutableArray<string> UserPrincipalName = ["upn", ClaimTypes.Upn];

    // Not an optional claim of Entra: issued by a claims mapping policy, whose source has this name.
    private static readonly ImmutableArray<string> OnPremisesUserPrincipalName = ["onpremisesuserprincipalname"];

    /// <summary>The names of the claim that carries each login identity.</summary>
    public static readonly FrozenDictionary<LoginIdentity, ImmutableArray<string>> Names =
        new Dictionary<LoginIdentity, ImmutableArray<string>>
    {
        [LoginIdentity.UserPrincipalName] = UserPrincipalName,
        [LoginIdentity.UserPrincipalUsername] = UserPrincipalName,
        [LoginIdentity.OnPremisesUserPrincipalName] = OnPremisesUserPrincipalName,
        [LoginIdentity.OnPremisesUserPrincipalUsername] = OnPremisesUserPrincipalName,
        [LoginIdentity.OnPremisesSamAccountName] = ["onprem_sam_account_name", "onpremisessamaccountname", ClaimTypes.WindowsAccountName],
    }.ToFrozenDictionary();

    // Claims that the user, an application's owner or a guest's home tenant can set. They may be displayed, but decide nothing.
    private static readonly FrozenSet<string> Unsafe = new[]
    {
        "email", "emails", "mail", "preferred_username", "unique_name", "name", "given_name", "family_name", "middle_name", "nickname",
        "profile", "website", "picture", "phone_number", "login_hint", "signin_names",
        "verified_primary_email", "verified_secondary_email", "displayname", "username", "user_name",
        ClaimTypes.Email, ClaimTypes.Name, ClaimTypes.GivenName, ClaimTypes.Surname,
        ClaimTypes.HomePhone, ClaimTypes.MobilePhone, ClaimTypes.OtherPhone, ClaimTypes.Webpage,
        "http://schemas.microsoft.com/identity/claims/displayname",
        "http://schemas.microsoft.com/identity/claims/preferred_username",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/mail",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Determines whether the claim carries scopes: of Entra and AD FS (<c>scp</c>), or of RFC 9068 §2.2.3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsScope(string claimType) => claimType is "scp" or MappedScope or "scope";

    /// <summary>Determines whether the claim carries a role. .NET maps both names to the same one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsRole(string claimType) => claimType is "roles" or "role" or ClaimTypes.Role;

    /// <summary>Determines whether the claim names the client that the token was issued to (Entra 2.0, Entra 1.0 and AD FS, RFC 9068
    /// §2.2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsClient(string claimType) => claimType is "azp" or "appid" or "client_id";

    /// <summary>Determines whether users or applications can set the claim.</summary>
    public static bool IsUnsafe(string claimType) => Unsafe.Contains(claimType);
}
