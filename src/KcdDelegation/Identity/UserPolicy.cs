using System.Collections.Frozen;

namespace KcdDelegation.Identity;

/// <summary>What is common to the mapping of every application: parsed and checked once.</summary>
/// <param name="Realm">The common delegating account's realm; null where every application has its own.</param>
/// <param name="SuffixRealms">Realm by UPN suffix, as listed; compared without case, ASCII only.</param>
/// <param name="TenantId">The tenant that a principal which names one must belong to.</param>
/// <param name="AllowGuests">Whether guests may be delegated.</param>
/// <param name="AllowApplicationTokens">Whether applications without a user may be delegated.</param>
internal sealed record UserPolicy(
    string? Realm,
    FrozenDictionary<string, string> SuffixRealms,
    string? TenantId,
    bool AllowGuests,
    bool AllowApplicationTokens);
