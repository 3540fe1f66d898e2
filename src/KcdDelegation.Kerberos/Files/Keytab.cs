namespace KcdDelegation.Kerberos.Files;

/// <summary>The entries of a keytab, with lookup by account. Immutable; thread-safe until disposed.</summary>
internal sealed class Keytab(IReadOnlyList<KeytabEntry> entries) : IDisposable
{
    private const int PrincipalsNamed = 10;

    /// <summary>The principals of the file for error messages, bounded in number.</summary>
    public string Principals
    {
        get
        {
            var names = entries.Select(entry => entry.Principal).Distinct(StringComparer.Ordinal).ToList();
            var text = string.Join(", ", names.Take(PrincipalsNamed));
            return names.Count <= PrincipalsNamed ? text : $"{text} and {names.Count - PrincipalsNamed} more";
        }
    }

    /// <summary>Returns the account's entries, newest first. Returns an empty list if there are none.</summary>
    /// <remarks>Active Directory ignores case in names and MIT does not. Entries with the exact spelling are preferred. Entries that
    /// differ in case are used only if there are no others.</remarks>
    public IReadOnlyList<KeytabEntry> FindEntries(string account, string realm)
    {
        var components = account.Split('/');
        var found = entries.Where(entry => entry.HasName(components, realm, StringComparison.Ordinal)).ToList();
        if (found.Count == 0)
            found = entries.Where(entry => entry.HasName(components, realm, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.OrderByDescending(entry => Age(entry, found)).ThenByDescending(entry => entry.Timestamp).ToList();
    }

    /// <summary>Returns the entries of the newest version among the entries of one account (<see cref="FindEntries"/>).</summary>
    public static IReadOnlyList<KeytabEntry> SelectNewest(IReadOnlyList<KeytabEntry> entries) =>
        entries.Where(entry => entry.Kvno == entries[0].Kvno).ToList();

    /// <summary>The version, unwrapped: where eight bits are all that is known, a low number that is not older than a high one stands
    /// behind it (256 is written as 0).</summary>
    private static long Age(KeytabEntry entry, List<KeytabEntry> all) =>
        entry.KvnoWidth == KvnoWidth.LowEightBits && entry.Kvno < 64
        && all.Exists(other => other.KvnoWidth == KvnoWidth.LowEightBits && other.Kvno >= 192 && other.Timestamp <= entry.Timestamp)
            ? entry.Kvno + 256L
            : entry.Kvno;

    public void Dispose()
    {
        foreach (var entry in entries)
            entry.Key?.Dispose();
    }
}
