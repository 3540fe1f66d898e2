using System.Buffers.Binary;
using KcdDelegation.DirectoryServices.Accounts;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>Reads the accounts that a security descriptor in self-relative form allows (MS-DTYP §2.4.6), for resource-based
/// delegation.</summary>
internal static class AllowedAccounts
{
    private const byte AccessAllowed = 0;
    private const int HeaderLength = 20;
    private const int AclHeaderLength = 8;
    private const int AceHeaderLength = 8;

    /// <summary>Returns the SIDs of the entries that allow. A descriptor that is not valid allows no one.</summary>
    public static IReadOnlyList<string> Read(ReadOnlySpan<byte> descriptor)
    {
        var accounts = new List<string>();
        if (descriptor.Length < HeaderLength
            || BinaryPrimitives.ReadUInt32LittleEndian(descriptor[16..]) is not (>= HeaderLength and var start)
            || start + AclHeaderLength > descriptor.Length)
            return accounts;
        var list = descriptor[(int)start..];
        var length = BinaryPrimitives.ReadUInt16LittleEndian(list[2..]);
        if (length < AclHeaderLength || length > list.Length)
            return accounts;
        var entries = list[AclHeaderLength..length];
        while (entries.Length >= AceHeaderLength)
        {
            var size = BinaryPrimitives.ReadUInt16LittleEndian(entries[2..]);
            if (size < AceHeaderLength || size > entries.Length)
                break;
            if (entries[0] == AccessAllowed && SecurityIdentifiers.Format(entries[AceHeaderLength..size]) is { } sid)
                accounts.Add(sid);
            entries = entries[size..];
        }
        return accounts;
    }
}
