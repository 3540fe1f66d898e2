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
        var wrapped = FindWrapTime(found);
        return found.OrderByDescending(entry => Unwrap(entry, wrapped)).ThenByDescending(entry => entry.Timestamp).ToList();
    }

    /// <summary>Returns the entries of the newest version among the entries of one account (<see cref="FindEntries"/>).</summary>
    public static IReadOnlyList<KeytabEntry> SelectNewest(IReadOnlyList<KeytabEntry> entries) =>
        entries.Where(entry => entry.Kvno == entries[0].Kvno).ToList();

    /// <summary>Returns the time of the oldest entry with a high eight-bit version, or null if there is none.</summary>
    private static DateTimeOffset? FindWrapTime(List<KeytabEntry> entries) =>
        entries.Where(entry => entry.KvnoWidth == KvnoWidth.LowEightBits && entry.Kvno >= 192)
            .Min(entry => (DateTimeOffset?)entry.Timestamp);

    /// <summary>Returns the full version of an entry. Where only eight bits are known, a low version that is not older than a high one
    /// follows
    /// it (256 is written as 0).</summary>
    private static long Unwrap(KeytabEntry entry, DateTimeOffset? wrapped) =>
        entry.KvnoWidth == KvnoWidth.LowEightBits && entry.Kvno < 64 && wrapped <= entry.Timestamp ? entry.Kvno + 256L : entry.Kvno;

    public void Dispose()
    {
        foreach (var entry in entries)
            entry.Key?.Dispose();
    }
}
