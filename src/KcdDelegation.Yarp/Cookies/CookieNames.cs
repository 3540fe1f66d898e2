using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace KcdDelegation.Yarp.Cookies;

/// <summary>A set of cookie names: whole names, prefixes, names of parts, and those of session affinity, which grow.</summary>
internal sealed class CookieNames
{
    /// <summary>Marks a name whose parts are included.</summary>
    public const string PartSuffix = "C#";

    private readonly FrozenSet<string> _names;
    private readonly ConcurrentDictionary<string, bool> _affinity;
    private readonly string[] _prefixes;
    private readonly string[] _parts;

    private CookieNames(
        IEnumerable<string> names, IEnumerable<string> prefixes, IEnumerable<string> parts, ConcurrentDictionary<string, bool> affinity) =>
        (_names, _prefixes, _parts, _affinity) = (names.ToFrozenSet(Comparer), [.. prefixes], [.. parts], affinity);

    /// <summary>Gets the comparer of names. ASP.NET Core finds a cookie without regard to case, so a backend's cookie with other case could
    /// replace one of the gateway.</summary>
    public static StringComparer Comparer => StringComparer.OrdinalIgnoreCase;

    public static CookieNames Create(IReadOnlyList<string> names, ConcurrentDictionary<string, bool> affinity) => new(
        names.Where(static name => !name.EndsWith('*') && !name.EndsWith(PartSuffix, StringComparison.Ordinal)),
        names.Where(static name => name.EndsWith('*')).Select(static name => name[..^1]),
        names.Where(static name => name.EndsWith(PartSuffix, StringComparison.Ordinal)).Select(static name => name[..^1]),
        affinity);

    /// <summary>Determines whether a cookie belongs to the gateway.</summary>
    public bool Contains(ReadOnlySpan<char> name)
    {
        if (_names.GetAlternateLookup<ReadOnlySpan<char>>().Contains(name)
            || _affinity.GetAlternateLookup<ReadOnlySpan<char>>().ContainsKey(name))
            return true;
        foreach (var prefix in _prefixes)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        foreach (var part in _parts)
        {
            if (name.Length > part.Length && name.StartsWith(part, StringComparison.OrdinalIgnoreCase)
                && !name[part.Length..].ContainsAnyExceptInRange('0', '9'))
                return true;
        }
        return false;
    }
}
