using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation;

/// <summary>The default mapper: reads the claim that the application's login identity names, and applies the rules for names.</summary>
/// <remarks>The same claims and context always give the same name or the same error. Thread-safe. Not a check of who may be delegated:
/// the library does that around every mapper.</remarks>
public sealed class ClaimsIdentityMapper : IIdentityMapper
{
    /// <inheritdoc/>
    public ValueTask<KerberosPrincipal> MapAsync(ClaimsPrincipal caller, MappingContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(context);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Map(CallerClaims.Read(caller, CallerClaims.GetNames(context)), context));
    }

    /// <exception cref="KcdException">The claims give no name that may be delegated.</exception>
    internal static KerberosPrincipal Map(in CallerClaims claims, MappingContext context)
    {
        // Checked with the settings too. A decorator may pass a context of its own.
        if (context.ClaimType is { } unsafeClaim && ClaimSources.IsUnsafe(unsafeClaim) && !context.AllowUnsafeClaimType)
            throw DelegationFailure.Identity(
                KcdErrorKind.Configuration, KcdEventId.ClaimAmbiguous,
                $"The claim {PrintableText.Quoted(unsafeClaim)} can be set by users to another user's name.",
                "Read another claim, or set AllowUnsafeClaimType at your own risk.").ToException();
        if (claims.FindName() is not { Length: > 0 } name)
            throw NameMissing(context);
        // Names can lead a KDC to another account than the one that was meant (MS-KILE §3.3.5.6.1: the UPN of one may be the
        // sAMAccountName of another). A SID cannot: the engine compares it with the ticket's PAC.
        var domain = claims.HasDomain ? UserDomain.Find(claims, context.Realms) : default;
        if (claims.FindSecurityIdentifier() is not { } sid)
            return ToPrincipal(name, domain, context);
        if (!KerberosPrincipal.IsSecurityIdentifier(sid))
            throw SecurityIdentifierRefused(sid);
        return ToPrincipal(name, domain, context) with { SecurityIdentifier = sid };
    }

    private static KcdException NameMissing(MappingContext context)
    {
        var sources = string.Join(" or ", CallerClaims.GetNames(context).Select(PrintableText.Quoted));
        return DelegationFailure.Identity(
            KcdErrorKind.UserNotPermitted, KcdEventId.NoIdentity,
            $"The caller has no claim {sources}, which is the login identity {context.LoginIdentity}.",
            "Add the claim to the token (in Entra an optional claim or a claims mapping policy), or choose another LoginIdentity or "
                + "ClaimType.").ToException();
    }

    private static KcdException SecurityIdentifierRefused(string sid) => DelegationFailure.Identity(
        KcdErrorKind.UserNotPermitted, KcdEventId.NameRefused,
        $"The caller's claim onprem_sid (or onpremisessecurityidentifier) is no SID: {PrintableText.Quoted(sid)}.",
        "Have the issuer send the on-premises security identifier, such as S-1-5-21-1004336348-1177238915-682003330-1103, or no "
            + "such claim.").ToException();

    private static KerberosPrincipal ToPrincipal(string name, UserDomain domain, MappingContext context) => context.LoginIdentity switch
    {
        LoginIdentity.OnPremisesSamAccountName => ToSamAccount(name, domain, context),
        LoginIdentity.UserPrincipalUsername or LoginIdentity.OnPremisesUserPrincipalUsername => ToUsername(name, domain, context),
        _ => ToUserPrincipal(name, domain, context),
    };

    private static KerberosPrincipal ToSamAccount(string name, UserDomain domain, MappingContext context)
    {
        if (name.Contains('\\', StringComparison.Ordinal))
            throw NameRefused(name, "it has the form DOMAIN\\user, and the realm of the domain is not known");
        if (CountCharacters(name) > NameRules.MaxSamLength && !name.EndsWith('$'))
            throw NameRefused(name, $"it is longer than the {NameRules.MaxSamLength} characters of a sAMAccountName");
        return ToAccount(name, domain.GetRealm(context));
    }

    /// <summary>Maps joe@contoso.com to joe, for listed suffixes only: joe@contoso.com and joe@other.example are two people.</summary>
    private static KerberosPrincipal ToUsername(string name, UserDomain domain, MappingContext context)
    {
        var (account, suffix) = SplitUserPrincipal(name, context);
        if (context.UserPrincipalSuffixes.TryGetValue(suffix, out var listed))
            return ToAccount(account, domain.Confirm(listed));
        var own = FindOwnRealm(suffix, context) ?? FindDomain(suffix, domain);
        if (own is null || (domain == default && context.Realms.AreSeveral && context.ImpliedUserRealm is null))
            throw SuffixNotListed(suffix);
        return ToAccount(account, domain == default && !context.Realms.AreSeveral ? own : domain.GetRealm(context));
    }

    private static string? FindDomain(string suffix, UserDomain domain) =>
        string.Equals(suffix, domain.Realm, StringComparison.OrdinalIgnoreCase) ? domain.Realm : null;

    private static KcdException SuffixNotListed(string suffix) => DelegationFailure.Identity(
        KcdErrorKind.UserNotPermitted, KcdEventId.SuffixNotListed,
        $"The suffix {PrintableText.Quoted(suffix)} of the caller's name is not listed for any realm.",
        "List it under Kcd:Realms:REALM:UserPrincipalSuffixes if the users of this suffix have their accounts in that realm.")
        .ToException();

    /// <summary>Uses the whole name as the principal (RFC 6806 §5). The realm is known for listed suffixes; for others the KDC names
    /// it.</summary>
    private static KerberosPrincipal ToUserPrincipal(string name, UserDomain domain, MappingContext context)
    {
        var (account, suffix) = SplitUserPrincipal(name, context);
        var listed = context.UserPrincipalSuffixes.GetValueOrDefault(suffix);
        // A directory with a suffix that is not routable, such as contoso.usa, has names in the cloud with another one.
        if (context.Realms.RewrittenSuffixes.Count > 0 && context.Realms.RewrittenSuffixes.TryGetValue(suffix, out var rewritten))
            name = $"{account}@{rewritten}";
        return KerberosPrincipal.Enterprise(name, listed is null ? domain.Realm : domain.Confirm(listed));
    }

    private static KerberosPrincipal ToAccount(string account, string realm)
    {
        if (NameRules.FindAccountNameViolation(account) is { } why)
            throw NameRefused(account, why);
        return KerberosPrincipal.Principal(account, realm);
    }

    private static (string Account, string Suffix) SplitUserPrincipal(string name, MappingContext context)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        if (at < 0)
            throw NameRefused(name, "it has no @, so its suffix is not known");
        var (account, suffix) = (name[..at], name[(at + 1)..]);
        // A guest's name is rejected as such, not for its length or suffix.
        if (!context.AllowGuests && NameRules.IsGuest(account))
            throw CallerPolicy.GuestRefused();
        var suffixViolation = NameRules.FindSuffixViolation(suffix);
        if ((NameRules.FindAccountNameViolation(account) ?? suffixViolation) is { } why)
            throw NameRefused(name, why);
        return (account, suffix);
    }

    private static string? FindOwnRealm(string suffix, MappingContext context)
    {
        // Suffixes are ASCII, so ignoring case folds nothing else.
        if (string.Equals(suffix, context.UserRealm, StringComparison.OrdinalIgnoreCase))
            return context.UserRealm;
        return string.Equals(suffix, context.Realm, StringComparison.OrdinalIgnoreCase) ? context.Realm : null;
    }

    private static int CountCharacters(string name)
    {
        var count = 0;
        foreach (var _ in name.EnumerateRunes())
            count++;
        return count;
    }

    private static KcdException NameRefused(string name, string why) => DelegationFailure.Identity(
        KcdErrorKind.UserNotPermitted, KcdEventId.NameRefused,
        $"The caller's name {PrintableText.Quoted(name)} cannot be delegated: {why}.",
        "Correct the name in the directory, or choose a LoginIdentity or ClaimType that carries a plain name.").ToException();
}
