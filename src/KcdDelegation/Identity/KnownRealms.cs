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

    /// <summary>The suffixes that the directory has in place of those of tokens.</summary>
    public FrozenDictionary<string, string> RewrittenSuffixes { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Compares the names by value, because each parse of the settings creates new ones.</summary>
    public bool Equals(KnownRealms? other) => ReferenceEquals(this, other)
        || (other is not null && AreSeveral == other.AreSeveral && IsSame(ByDomain, other.ByDomain)
            && IsSame(ByNetBiosName, other.ByNetBiosName) && IsSame(RewrittenSuffixes, other.RewrittenSuffixes));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(AreSeveral, ByDomain.Count, ByNetBiosName.Count);

    private static bool IsSame(FrozenDictionary<string, string> left, FrozenDictionary<string, string> right) =>
        left.Count == right.Count && left.All(entry => right.TryGetValue(entry.Key, out var realm) && realm == entry.Value);
}
