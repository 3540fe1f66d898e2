using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Tests.AccountKeys;

/// <summary>Writes MSDS-MANAGEDPASSWORD_BLOB (MS-ADTS §2.2.19) as domain controllers do.</summary>
internal static class ManagedPasswordBlob
{
    public static readonly TimeSpan DefaultQueryInterval = TimeSpan.FromDays(12);

    public static readonly TimeSpan DefaultUnchangedInterval = DefaultQueryInterval - TimeSpan.FromMinutes(5);

    /// <summary>Returns a generated password: 128 code units of any value.</summary>
    public static string CreatePassword()
    {
        Span<byte> bytes = stackalloc byte[256];
        RandomNumberGenerator.Fill(bytes);
        return new string(MemoryMarshal.Cast<byte, char>(bytes));
    }

    /// <summary>Returns the text from which a KDC derives the key: U+0001 for U+0000. Surrogates are the encoding's task.</summary>
    public static string ToKeyText(string password) => password.Replace('\0', '\u0001');

    public static byte[] Write(string current, string? previous = null, TimeSpan? query = null, TimeSpan? unchanged = null)
    {
        byte[] first = [.. MemoryMarshal.AsBytes(current.AsSpan()), 0, 0];
        byte[] second = previous is null ? [] : [.. MemoryMarshal.AsBytes(previous.AsSpan()), 0, 0];
        var intervals = (16 + first.Length + second.Length + 7) / 8 * 8;
        var blob = new byte[intervals + 16];
        BinaryPrimitives.WriteUInt16LittleEndian(blob, 1);
        BinaryPrimitives.WriteInt32LittleEndian(blob.AsSpan(4), blob.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(blob.AsSpan(8), 16);
        BinaryPrimitives.WriteUInt16LittleEndian(blob.AsSpan(10), (ushort)(previous is null ? 0 : 16 + first.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(blob.AsSpan(12), (ushort)intervals);
        BinaryPrimitives.WriteUInt16LittleEndian(blob.AsSpan(14), (ushort)(intervals + 8));
        first.CopyTo(blob, 16);
        second.CopyTo(blob, 16 + first.Length);
        BinaryPrimitives.WriteInt64LittleEndian(blob.AsSpan(intervals), (query ?? DefaultQueryInterval).Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(blob.AsSpan(intervals + 8), (unchanged ?? DefaultUnchangedInterval).Ticks);
        return blob;
    }
}
