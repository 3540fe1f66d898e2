using System.Buffers.Binary;
using KcdDelegation.DirectoryServices.Accounts;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The accounts of a security descriptor in self-relative form (MS-DTYP §2.4.6), for resource-based delegation.</summary>
/// <param name="IsValid">Whether the bytes are a security descriptor with a list. An invalid one allows no account.</param>
/// <param name="Entries">The entries that apply, in the order of the list.</param>
internal sealed record AllowedAccounts(bool IsValid, IReadOnlyList<AllowedAccounts.Entry> Entries)
{
    private const int HeaderLength = 20;
    private const int AclHeaderLength = 8;
    private const int AceHeaderLength = 8;
    private const byte AccessAllowed = 0;
    private const byte AccessDenied = 1;

    /// <summary>An entry that applies to objects below only (MS-DTYP §2.4.4.1).</summary>
    private const byte InheritOnly = 0x8;

    /// <summary>The rights of which a KDC requires one: control access, and all rights.</summary>
    private const uint Rights = 0x100 | 0x1000_0000;

    private const string Everyone = "S-1-1-0";
    private const string AuthenticatedUsers = "S-1-5-11";

    private static readonly AllowedAccounts Invalid = new(false, []);

    public IEnumerable<string> Allowed => Entries.Where(entry => entry.IsAllowed).Select(entry => entry.Account);

    public IEnumerable<string> Denied => Entries.Where(entry => !entry.IsAllowed).Select(entry => entry.Account);

    /// <summary>Gets whether an account of which nothing is known is allowed.</summary>
    public bool AllowsEveryone => IsAllowing([]);

    /// <summary>Reads the entries for accounts. The reading ends at the first entry that is not valid.</summary>
    public static AllowedAccounts Read(ReadOnlySpan<byte> descriptor)
    {
        if (descriptor.Length < HeaderLength)
            return Invalid;
        var start = BinaryPrimitives.ReadUInt32LittleEndian(descriptor[16..]);
        // A descriptor without a list allows everyone (MS-DTYP §2.5.3.2).
        if (start == 0)
            return new AllowedAccounts(true, [new Entry(Everyone, IsAllowed: true)]);
        if (start < HeaderLength || start > descriptor.Length || descriptor.Length - (int)start < AclHeaderLength)
            return Invalid;
        var list = descriptor[(int)start..];
        var length = BinaryPrimitives.ReadUInt16LittleEndian(list[2..]);
        return length < AclHeaderLength || length > list.Length ? Invalid
            : new AllowedAccounts(true, ReadEntries(list[AclHeaderLength..length]));
    }

    /// <summary>Determines whether the list allows an account. The first entry for it or one of its groups decides.</summary>
    /// <param name="identifiers">The SIDs of the account and of its groups.</param>
    public bool IsAllowing(IReadOnlyCollection<string> identifiers) =>
        Entries.FirstOrDefault(entry => entry.Account is Everyone or AuthenticatedUsers || identifiers.Contains(entry.Account))
            is { IsAllowed: true };

    private static List<Entry> ReadEntries(ReadOnlySpan<byte> entries)
    {
        var found = new List<Entry>();
        while (entries.Length >= AceHeaderLength)
        {
            var size = BinaryPrimitives.ReadUInt16LittleEndian(entries[2..]);
            if (size < AceHeaderLength || size > entries.Length)
                break;
            if (entries[0] is AccessAllowed or AccessDenied && (entries[1] & InheritOnly) == 0
                && (BinaryPrimitives.ReadUInt32LittleEndian(entries[4..]) & Rights) != 0
                && SecurityIdentifiers.Format(entries[AceHeaderLength..size]) is { } sid)
                found.Add(new Entry(sid, entries[0] == AccessAllowed));
            entries = entries[size..];
        }
        return found;
    }

    /// <summary>One entry.</summary>
    /// <param name="Account">The SID of an account or group.</param>
    /// <param name="IsAllowed">Whether the entry allows or denies.</param>
    internal sealed record Entry(string Account, bool IsAllowed);
}
