using System.Collections.Frozen;

namespace KcdDelegation.Identity;

/// <summary>The realms that the settings name, and the names of their domains. Immutable.</summary>
/// <param name="AreSeveral">Whether there is more than one, so that a name alone does not say in which one the account is.</param>
/// <param name="ByDomain">The realm of each domain, by its DNS name.</param>
/// <param name="ByNetBiosName">The realm of each domain whose NetBIOS name is configured.</param>
internal sealed record KnownRealms(
    bool AreSeveral, FrozenDictionary<string, string> ByDomain, FrozenDictionary<string, string> ByNetBiosName)
{
    /// <summary>No realm is known, as in a context that code creates.</summary>
    public static readonly KnownRealms None =
        new(AreSeveral: false, FrozenDictionary<string, string>.Empty, FrozenDictionary<string, string>.Empty);
}
