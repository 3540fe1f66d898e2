using System.Buffers.Binary;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.AccountKeys;

namespace KcdDelegation.Kerberos;

/// <summary>The passwords of a group managed service account (gMSA) and the times of changes: MSDS-MANAGEDPASSWORD_BLOB (MS-ADTS
/// §2.2.19). The passwords are in pinned memory.</summary>
/// <remarks>A blob has, in little-endian: version (2 bytes), reserved (2), length (4), and the offsets (2 each) of the current password,
/// the previous password (0 for none), QueryPasswordInterval and UnchangedPasswordInterval (8 bytes each, in units of 100 ns).</remarks>
public sealed class ManagedPassword : IDisposable
{
    private const int HeaderLength = 16;

    /// <summary>MS-ADTS §3.1.1.4.5.39: a generated password has 256 bytes of any value, so that it may contain U+0000.</summary>
    private const int GeneratedLength = 256;

    private ManagedPassword(Password current, Password? previous) => (Current, Previous) = (current, previous);

    /// <summary>Gets the time from the moment of the read after which the password is to be read again.</summary>
    public TimeSpan QueryInterval { get; private init; }

    /// <summary>Gets the time from the moment of the read during which the password is certain not to change.</summary>
    public TimeSpan UnchangedInterval { get; private init; }

    /// <summary>Gets whether the blob has a previous password. KDCs accept it for some minutes after a change.</summary>
    public bool HasPrevious => Previous is not null;

    internal Password Current { get; }

    internal Password? Previous { get; }

    /// <summary>Reads the value of <c>msDS-ManagedPassword</c>. The caller zeroes the value afterwards.</summary>
    /// <exception cref="FormatException">The value is not a blob of version 1, or its offsets or lengths contradict each other. The message
    /// has no byte of the value.</exception>
    public static ManagedPassword Parse(ReadOnlySpan<byte> blob)
    {
        if (blob.Length < HeaderLength)
            throw Malformed($"has {blob.Length} bytes");
        if (BinaryPrimitives.ReadUInt16LittleEndian(blob) is var version && version != 1)
            throw Malformed($"has version {version}");
        if (BinaryPrimitives.ReadUInt32LittleEndian(blob[4..]) is var length && length != blob.Length)
            throw Malformed($"states {length} bytes and has {blob.Length}");
        int current = BinaryPrimitives.ReadUInt16LittleEndian(blob[8..]);
        int previous = BinaryPrimitives.ReadUInt16LittleEndian(blob[10..]);
        int query = BinaryPrimitives.ReadUInt16LittleEndian(blob[12..]);
        int unchanged = BinaryPrimitives.ReadUInt16LittleEndian(blob[14..]);
        // The fields are in this order, so each password ends before the next field.
        if (current < HeaderLength || (previous != 0 && previous <= current) || query <= Math.Max(current, previous)
            || unchanged < query + sizeof(long) || unchanged + sizeof(long) > blob.Length)
            throw Malformed("has fields outside of it or in another order");
        var newest = ReadPassword(blob[current..(previous == 0 ? query : previous)]);
        try
        {
            return new ManagedPassword(newest, previous == 0 ? null : ReadPassword(blob[previous..query]))
            {
                QueryInterval = ReadInterval(blob[query..]),
                UnchangedInterval = ReadInterval(blob[unchanged..]),
            };
        }
        catch (FormatException)
        {
            newest.Dispose();
            throw;
        }
    }

    /// <summary>Zeroes the passwords and the keys that were derived from them.</summary>
    public void Dispose()
    {
        Current.Dispose();
        Previous?.Dispose();
    }

    /// <summary>Returns the intervals; never a password.</summary>
    public override string ToString() => $"managed password, to be read again in {QueryInterval:c}";

    /// <summary>Reads a null-terminated string of UTF-16 code units.</summary>
    private static Password ReadPassword(ReadOnlySpan<byte> field)
    {
        if (!TryGetLength(field, out var length))
            throw Malformed("has a password without its terminating null character");
        if (length == 0)
            throw Malformed("has an empty password");
        var characters = GC.AllocateUninitializedArray<char>(length / sizeof(char), pinned: true);
        try
        {
            for (var i = 0; i < characters.Length; i++)
            {
                var character = (char)BinaryPrimitives.ReadUInt16LittleEndian(field[(i * sizeof(char))..]);
                // The key is derived from a UTF-8 string without U+0000. The KDC's conversion writes U+0001 in its place, and U+FFFD for
                // each surrogate without its counterpart; the latter is what the encoding does in Password.
                characters[i] = character == '\0' ? '\u0001' : character;
            }
            return new Password(characters);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(System.Runtime.InteropServices.MemoryMarshal.AsBytes(characters.AsSpan()));
        }
    }

    /// <summary>Gets the length in bytes of a password. A null character inside a generated password does not end it.</summary>
    private static bool TryGetLength(ReadOnlySpan<byte> field, out int length)
    {
        length = GeneratedLength;
        if (IsNull(field, length))
            return true;
        for (length = 0; length + sizeof(char) <= field.Length; length += sizeof(char))
        {
            if (IsNull(field, length))
                return true;
        }
        return false;
    }

    private static bool IsNull(ReadOnlySpan<byte> field, int offset) =>
        offset + sizeof(char) <= field.Length && field[offset] == 0 && field[offset + 1] == 0;

    private static TimeSpan ReadInterval(ReadOnlySpan<byte> field) => BinaryPrimitives.ReadInt64LittleEndian(field) switch
    {
        < 0 => throw Malformed("has a negative interval"),
        var ticks => TimeSpan.FromTicks(ticks),
    };

    private static FormatException Malformed(string detail) => new($"The value of msDS-ManagedPassword {detail}.");
}
