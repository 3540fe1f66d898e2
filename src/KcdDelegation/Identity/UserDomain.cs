using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Identity;

/// <summary>The domain of a user's account, as the caller's claims name it.</summary>
/// <param name="Realm">The realm of the domain; null if no claim names a domain, or none that is listed.</param>
/// <param name="Unlisted">The domain that is not that of a listed realm; null if there is none.</param>
internal readonly record struct UserDomain(string? Realm, string? Unlisted)
{
    /// <summary>Reads the claims.</summary>
    /// <exception cref="KcdException">The claims name different realms (1047).</exception>
    public static UserDomain Find(in CallerClaims claims, KnownRealms realms)
    {
        var domain = default(UserDomain);
        if (claims.FindDnsDomain() is { } dns)
            domain = domain.And(realms.ByDomain.GetValueOrDefault(dns), dns);
        if (claims.FindOnPremisesDomain() is { } onPremises)
            domain = domain.And(realms.ByDomain.GetValueOrDefault(onPremises), onPremises);
        if (claims.FindNetBiosDomain() is not { } name)
            return domain;
        // A NetBIOS name that is not configured adds nothing to a DNS name, which says the realm.
        var isKnown = realms.ByNetBiosName.TryGetValue(name, out var realm);
        return !isKnown && domain.Realm is not null && !realms.ByNetBiosName.Values.Contains(domain.Realm)
            ? domain
            : domain.And(realm, name);
    }

    /// <summary>Returns the realm of a name without a realm of its own.</summary>
    /// <exception cref="KcdException">The domain is not listed (1045), or nothing says the realm (1046).</exception>
    public string GetRealm(MappingContext context)
    {
        if (Unlisted is not null)
            throw DelegationFailure.Identity(
                KcdErrorKind.UserNotPermitted, KcdEventId.DomainNotListed,
                $"The caller's domain {PrintableText.Quoted(Unlisted)} is not the domain of a listed realm.",
                "Add its realm under Kcd:Realms if users of this domain may be delegated. The realm of a claim netbiosname needs "
                    + "Kcd:Realms:REALM:NetBiosName.").ToException();
        return Realm ?? context.ImpliedUserRealm ?? throw DelegationFailure.Identity(
            KcdErrorKind.UserNotPermitted, KcdEventId.UserRealmUnknown,
            "More than one realm is configured, and nothing says in which one the caller's account is.",
            $"Set Kcd:Applications:{PrintableText.From(context.ApplicationName)}:UserRealm, or have the issuer send the claim "
                + "dnsdomainname.").ToException();
    }

    /// <summary>Returns the realm of a listed suffix, which the claims must not contradict.</summary>
    /// <exception cref="KcdException">The claims name another realm (1047).</exception>
    public string Confirm(string realm) =>
        Unlisted is null && (Realm is null || Realm == realm) ? realm : throw Contradiction(Realm ?? Unlisted!, realm);

    private UserDomain And(string? realm, string name)
    {
        if (realm is null)
            return this with { Unlisted = name };
        return Realm is null || Realm == realm ? this with { Realm = realm } : throw Contradiction(Realm, realm);
    }

    private static KcdException Contradiction(string first, string second) => DelegationFailure.Identity(
        KcdErrorKind.UserNotPermitted, KcdEventId.UserRealmAmbiguous,
        $"The caller's claims lead to {PrintableText.Quoted(first)} and to {PrintableText.Quoted(second)}.",
        "Correct the suffixes under Kcd:Realms, or the claims dnsdomainname, onpremisesdomainname and netbiosname of the token.")
        .ToException();
}
