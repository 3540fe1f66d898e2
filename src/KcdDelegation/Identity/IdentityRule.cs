using System.Collections.Immutable;
using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Identity;

/// <summary>Claims to a name for one application. Pure: the same claims always give the same name or the same refusal. Who may be delegated at
/// all is <see cref="GuardedMapper"/>'s.</summary>
internal sealed class IdentityRule(DelegatedApplication application, UserPolicy users)
{
    private string AccountRealm => application.Realm ?? users.Realm
        ?? throw new InvalidOperationException("Checked settings give every application a realm.");

    /// <exception cref="KcdException">The caller has no identity that may be delegated.</exception>
    public KerberosPrincipal Map(ClaimsPrincipal caller)
    {
        var claims = CallerClaims.From(caller);
        var name = ReadName(claims);
        var sid = ReadSecurityIdentifier(claims);
        return ToPrincipal(name) with { SecurityIdentifier = sid };
    }

    private KerberosPrincipal ToPrincipal(string name) =>
        application.LoginIdentity switch
        {
            LoginIdentity.OnPremisesSamAccountName => ToSamAccount(name),
            LoginIdentity.UserPrincipalUsername or LoginIdentity.OnPremisesUserPrincipalUsername => ToUsername(name),
            _ => name.Contains('@', StringComparison.Ordinal) ? ToUserPrincipal(name) : ToAccount(name, UserRealm),
        };

    private string UserRealm => application.UserRealm ?? AccountRealm;

    private string ReadName(CallerClaims claims)
    {
        // Checked with the settings too; a mapper of somebody else's may pass an application that never was there.
        if (application.ClaimType is { } unsafeClaim && ClaimSources.IsUnsafe(unsafeClaim) && !application.AllowUnsafeClaimType)
            throw DelegationFailure.Identity(KcdEventId.ClaimAmbiguous, $"The claim {PrintableText.Quoted(unsafeClaim)} can be set by users to another user's name.",
                "Read another claim, or set AllowUnsafeClaimType at your own risk.").ToException();
        ImmutableArray<string> sources = application.ClaimType is { } claim ? [claim] : ClaimSources.GetDefaults(application.LoginIdentity);
        if (claims.Find(sources) is not { Length: > 0 } name)
            throw DelegationFailure.Identity(KcdEventId.NoIdentity,
                $"The caller has no claim {string.Join(" or ", sources.Select(PrintableText.Quoted))}, which is the login identity {application.LoginIdentity}.",
                "Add the claim to the token (in Entra an optional claim or a claims mapping policy), or choose another LoginIdentity or ClaimType.").ToException();
        return name;
    }

    /// <summary>Names can lead a KDC to another account than the one that was meant (MS-KILE §3.3.5.6.1: the UPN of one may be the sAMAccountName of another);
    /// a SID cannot. The engine holds it against the ticket's PAC.</summary>
    private static string? ReadSecurityIdentifier(CallerClaims claims)
    {
        var sid = claims.Find(ClaimSources.SecurityIdentifier);
        if (sid is null || KerberosPrincipal.IsSecurityIdentifier(sid))
            return sid;
        throw DelegationFailure.Identity(KcdEventId.NameRefused, $"The caller's claim onprem_sid is no SID: {PrintableText.Quoted(sid)}.",
            "Have the issuer send the on-premises security identifier, such as S-1-5-21-1004336348-1177238915-682003330-1103, or no such claim.").ToException();
    }

    private KerberosPrincipal ToSamAccount(string name)
    {
        if (name.EnumerateRunes().Count() > NameRules.MaxSamLength && !name.EndsWith('$'))
            throw NameRefused(name, $"it is longer than the {NameRules.MaxSamLength} characters of a sAMAccountName");
        return ToAccount(name, UserRealm);
    }

    /// <summary>joe@contoso.com becomes joe, for listed suffixes only: joe@contoso.com and joe@other.example are two people.</summary>
    private KerberosPrincipal ToUsername(string name)
    {
        var (account, suffix) = SplitUserPrincipal(name);
        return ToAccount(account, FindListedRealm(suffix) ?? FindOwnRealm(suffix)
            ?? throw DelegationFailure.Identity(KcdEventId.SuffixNotListed, $"The suffix {PrintableText.Quoted(suffix)} of the caller's name is not listed for any realm.",
                "List it under Kcd:Realms:REALM:UserPrincipalSuffixes if the users of this suffix live in that realm.").ToException());
    }

    /// <summary>The whole name is the principal (RFC 6806 §5). Its realm is known for listed suffixes; for others the KDC tells.</summary>
    private KerberosPrincipal ToUserPrincipal(string name)
    {
        var (_, suffix) = SplitUserPrincipal(name);
        return KerberosPrincipal.Enterprise(name, FindListedRealm(suffix));
    }

    private static KerberosPrincipal ToAccount(string account, string realm)
    {
        if (NameRules.FindAccountNameViolation(account) is { } why)
            throw NameRefused(account, why);
        return KerberosPrincipal.Principal(account, realm);
    }

    private (string Account, string Suffix) SplitUserPrincipal(string name)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        if (at < 0)
            throw NameRefused(name, "it has no @, so its suffix is not known");
        var (account, suffix) = (name[..at], name[(at + 1)..]);
        // Asked of every name afterwards too; a guest's is refused as such, not for its length or suffix.
        users.Callers.CheckName(account);
        if ((NameRules.FindAccountNameViolation(account) ?? NameRules.FindSuffixViolation(suffix)) is { } why)
            throw NameRefused(name, why);
        return (account, suffix);
    }

    private string? FindListedRealm(string suffix) => users.SuffixRealms.GetValueOrDefault(suffix);

    private string? FindOwnRealm(string suffix)
    {
        // Suffixes are ASCII, so ignoring case folds nothing else.
        if (string.Equals(suffix, UserRealm, StringComparison.OrdinalIgnoreCase))
            return UserRealm;
        return string.Equals(suffix, AccountRealm, StringComparison.OrdinalIgnoreCase) ? AccountRealm : null;
    }

    private static KcdException NameRefused(string name, string why) =>
        DelegationFailure.Identity(KcdEventId.NameRefused, $"The caller's name {PrintableText.Quoted(name)} cannot be delegated: {why}.",
            "Correct the name in the directory, or choose a LoginIdentity or ClaimType that carries a plain name.").ToException();
}
