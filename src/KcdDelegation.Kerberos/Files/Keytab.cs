using System.Globalization;

namespace KcdDelegation.Kerberos.Files;

/// <summary>The keys that a keytab holds, and which of them belong to an account. Immutable, thread-safe until disposed.</summary>
internal sealed class Keytab(IReadOnlyList<KeytabEntry> entries) : IDisposable
{
    private const int PrincipalsNamed = 10;

    /// <summary>The principals of the file, for error messages; a file may hold very many.</summary>
    public string Principals
    {
        get
        {
            var names = entries.Select(entry => entry.Principal).Distinct(StringComparer.Ordinal).ToList();
            var text = string.Join(", ", names.Take(PrincipalsNamed));
            return names.Count <= PrincipalsNamed ? text : $"{text} and {names.Count - PrincipalsNamed} more";
        }
    }

    /// <summary>The account's entries, newest first; empty if it has none. Active Directory ignores case in names and MIT does not, so
    /// entries spelled exactly so are preferred, and those that differ in case are taken where there are no others.</summary>
    public IReadOnlyList<KeytabEntry> FindEntries(string account, string realm)
    {
        var components = account.Split('/');
        var found = entries.Where(entry => entry.Names(components, realm, StringComparison.Ordinal)).ToList();
        if (found.Count == 0)
            found = entries.Where(entry => entry.Names(components, realm, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.OrderByDescending(entry => Age(entry, found)).ThenByDescending(entry => entry.Timestamp).ToList();
    }

    /// <summary>Of the entries of one account (<see cref="FindEntries"/>), those of its newest version.</summary>
    public static IReadOnlyList<KeytabEntry> SelectNewest(IReadOnlyList<KeytabEntry> entries) =>
        entries.Where(entry => entry.Kvno == entries[0].Kvno).ToList();

    /// <summary>The version, unwrapped: where eight bits are all that is known, a low number that is not older than a high one stands
    /// behind it (256 is written as 0).</summary>
    private static long Age(KeytabEntry entry, List<KeytabEntry> all) =>
        entry.KvnoWidth == KvnoWidth.LowEightBits && entry.Kvno < 64
        && all.Exists(other => other.KvnoWidth == KvnoWidth.LowEightBits && other.Kvno >= 192 && other.Timestamp <= entry.Timestamp)
            ? entry.Kvno + 256L
            : entry.Kvno;

    /// <summary>The name that administrators know a type by, such as <c>rc4-hmac</c> (IANA's registry of Kerberos encryption types).</summary>
    public static string TypeName(int encryptionType) => encryptionType switch
    {
        1 => "des-cbc-crc",
        2 => "des-cbc-md4",
        3 => "des-cbc-md5",
        16 => "des3-cbc-sha1",
        17 => "aes128-cts-hmac-sha1-96",
        18 => "aes256-cts-hmac-sha1-96",
        19 => "aes128-cts-hmac-sha256-128",
        20 => "aes256-cts-hmac-sha384-192",
        23 => "rc4-hmac",
        24 => "rc4-hmac-exp",
        25 => "camellia128-cts-cmac",
        26 => "camellia256-cts-cmac",
        _ => string.Create(CultureInfo.InvariantCulture, $"encryption type {encryptionType}"),
    };

    public void Dispose()
    {
        foreach (var entry in entries)
            entry.Key?.Dispose();
    }
}
