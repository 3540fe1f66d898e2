using System.Collections.Concurrent;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>One object for each realm and service however many tickets name it: a cache of many users' tickets has the same few in all of
/// them, and they take as much memory as a small ticket. Bounded, since names come from the wire.</summary>
internal static class SharedNames
{
    private const int MaxNames = 4096;

    private static readonly ConcurrentDictionary<string, string> s_realms = new(StringComparer.Ordinal);

    // By the type too, of which PrincipalName's own equality takes no notice.
    private static readonly ConcurrentDictionary<(int Type, PrincipalName Name), PrincipalName> s_services = new();

    public static string Share(string realm) => Share(s_realms, realm, realm);

    public static PrincipalName Share(PrincipalName service) => Share(s_services, (service.Type, service), service);

    private static T Share<TKey, T>(ConcurrentDictionary<TKey, T> known, TKey key, T name)
        where TKey : notnull =>
        known.TryGetValue(key, out var shared) ? shared
        : known.Count < MaxNames ? known.GetOrAdd(key, name)
        : name;
}
