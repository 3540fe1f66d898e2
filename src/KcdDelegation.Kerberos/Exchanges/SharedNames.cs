using System.Collections.Concurrent;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>A pool of realm and service names: tickets of many users share one object per name, which saves as much memory as a small
/// ticket takes. Bounded, since names come from the network.</summary>
internal static class SharedNames
{
    private const int MaxNames = 4096;

    private static readonly ConcurrentDictionary<string, string> s_realms = new(StringComparer.Ordinal);

    // The key includes the name type, which PrincipalName's equality ignores.
    private static readonly ConcurrentDictionary<(int Type, PrincipalName Name), PrincipalName> s_services = new();

    public static string Share(string realm) => Share(s_realms, realm, realm);

    public static PrincipalName Share(PrincipalName service) => Share(s_services, (service.Type, service), service);

    private static T Share<TKey, T>(ConcurrentDictionary<TKey, T> known, TKey key, T name)
        where TKey : notnull =>
        known.TryGetValue(key, out var shared) ? shared
        : known.Count < MaxNames ? known.GetOrAdd(key, name)
        : name;
}
