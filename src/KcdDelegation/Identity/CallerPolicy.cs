using System.Collections.Immutable;
using System.Text;
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
    /// <summary>The value of <c>idp</c> that IdentityServer gives to its own accounts. Other issuers name a directory.</summary>
    private const string LocalProvider = "local";

    /// <summary>Gets the kind of token that principals come from, unless the library created them.</summary>
    public TokenKind Kind { get; init; }

    /// <summary>Gets the scopes that every caller with an access token must have.</summary>
    public ImmutableArray<string> RequiredScopes { get; init; } = [];

    /// <summary>Gets the roles that every caller must have.</summary>
    public ImmutableArray<string> RequiredRoles { get; init; } = [];

    /// <summary>Checks the caller, before the mapping.</summary>
    /// <exception cref="KcdException">The caller may not be delegated.</exception>
    public void CheckCaller(in CallerClaims claims)
    {
        if (TenantId is not null)
            CheckTenant(claims);
        // Entra: 0 is a member of the tenant, 1 a guest.
        if (!AllowGuests && claims.FindAccountStatus() is { } status && status != "0")
            throw GuestRefused();
        // Entra: absent, or the tenant's own issuer, for the tenant's own users.
        if (!AllowGuests && claims.FindIdentityProvider() is { } provider && !IsHome(provider, claims))
            throw GuestRefused($"The caller signed in at {PrintableText.Quoted(provider)} (idp), which is not the tenant's directory");
        if (!AllowApplicationTokens && claims.FindApplicationSign(Kind) is { } sign)
            throw ApplicationRefused(sign);
        if (RequiredScopes.Length + RequiredRoles.Length > 0)
            CheckRequired(claims);
    }

    /// <summary>Checks that an access token has a scope at all, or a role if applications are allowed.</summary>
    /// <exception cref="KcdException">The token has neither.</exception>
    public void CheckScopeOrRole(in CallerClaims claims)
    {
        if (!claims.HasScope && !(AllowApplicationTokens && claims.HasRole))
            throw DelegationFailure.Identity(
                KcdErrorKind.NotAuthenticated, KcdEventId.ScopeMissing,
                "The token has no scope (scp), so it is not an access token for this gateway in a user's name.",
                "Send the access token that the issuer gives for a scope of this gateway. ID tokens are accepted where the host asks for "
                    + "them.").ToException();
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

    public static KcdException GuestRefused() => GuestRefused("The caller is a guest of the tenant");

    private static KcdException GuestRefused(string cause) => DelegationFailure.Identity(
        KcdErrorKind.UserNotPermitted, KcdEventId.GuestRefused, $"{cause}, so another organisation vouches for the name.",
        "Call as a member of the tenant, or allow guests with Kcd:Token:AllowGuests.").ToException();

    private void CheckTenant(in CallerClaims claims)
    {
        var tenant = claims.FindTenant();
        if (tenant is null)
            throw DelegationFailure.Identity(
                KcdErrorKind.Configuration, KcdEventId.TokenTenantWrong,
                $"The caller has no claim tid that names the tenant, which must be {PrintableText.From(TenantId)}.",
                "Pass the claim tid on with the principal, or remove Kcd:Token:TenantId if the issuer has no tenants.").ToException();
        if (tenant != TenantId && !IsSameGuid(tenant))
            throw DelegationFailure.Identity(
                KcdErrorKind.UserNotPermitted, KcdEventId.TokenTenantWrong,
                $"The caller belongs to the tenant {PrintableText.Quoted(tenant)}, not to {PrintableText.From(TenantId)}.",
                "Only users of the configured tenant can be delegated: their names are unique in that tenant only.").ToException();
    }

    /// <summary>Compares the tenant with that of the settings, which is a GUID in either case. Parsing would accept white space around
    /// it.</summary>
    private bool IsSameGuid(string tenant) => Ascii.EqualsIgnoreCase(tenant, TenantId) && Guid.TryParseExact(TenantId, "D", out _);

    /// <summary>Determines whether the directory that authenticated the caller is the tenant's own.</summary>
    private bool IsHome(string provider, in CallerClaims claims)
    {
        if (provider == claims.FindIssuer())
            return true;
        return (TenantId ?? claims.FindTenant()) is { } tenant ? EntraCloud.IsDirectory(provider, tenant) : provider == LocalProvider;
    }

    private static KcdException ApplicationRefused(string sign) => DelegationFailure.Identity(
        KcdErrorKind.UserNotPermitted, KcdEventId.ApplicationTokenRefused,
        $"The caller is an application without a user: {sign}.",
        "Call with a user's token (on-behalf-of instead of client credentials), or allow it with Kcd:Token:AllowApplicationTokens. If the "
            + "host signs users in and they have roles, set Kcd:Token:Kind to IdToken.").ToException();

    private void CheckRequired(in CallerClaims claims)
    {
        if (claims.GetKind(Kind) == TokenKind.AccessToken)
        {
            foreach (var scope in RequiredScopes)
            {
                if (!claims.HasScopeNamed(scope))
                    throw DelegationFailure.Identity(
                        KcdErrorKind.UserNotPermitted, KcdEventId.ScopeMissing,
                        $"The caller's token does not have the scope {PrintableText.Quoted(scope)}, which is required.",
                        "Request a token with this scope, or correct RequiredScopes of Kcd:Token or of the application. ID tokens have no "
                            + "scopes; if the host signs users in, set Kcd:Token:Kind to IdToken.").ToException();
            }
        }
        foreach (var role in RequiredRoles)
        {
            if (!claims.HasRoleNamed(role))
                throw DelegationFailure.Identity(
                    KcdErrorKind.UserNotPermitted, KcdEventId.RoleMissing,
                    $"The caller does not have the role {PrintableText.Quoted(role)}, which is required.",
                    "Assign the role to the caller, or correct RequiredRoles of Kcd:Token or of the application.").ToException();
        }
    }

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
