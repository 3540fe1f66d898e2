using System.Collections.Frozen;

namespace KcdDelegation.Identity;

/// <summary>What is common to the mapping of every application: parsed and checked once, and carried by each application.</summary>
/// <param name="Realm">The common delegating account's realm; null where every application has its own.</param>
/// <param name="SuffixRealms">Realm by UPN suffix, as listed; compared without case, ASCII only.</param>
/// <param name="Callers">Who may be delegated at all.</param>
internal sealed record UserPolicy(string? Realm, FrozenDictionary<string, string> SuffixRealms, CallerPolicy Callers);
