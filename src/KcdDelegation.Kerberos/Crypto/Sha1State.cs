using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The chaining value of SHA-1.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Sha1State
{
    public const int DigestLength = 5 * sizeof(uint);

    public uint A;
    public uint B;
    public uint C;
    public uint D;
    public uint E;

    /// <summary>FIPS 180-4 §5.3.1.</summary>
    public static Sha1State Initial => new() { A = 0x67452301, B = 0xEFCDAB89, C = 0x98BADCFE, D = 0x10325476, E = 0xC3D2E1F0 };

    /// <summary>Returns the state after the first block of HMAC's inner or outer hash: the key, padded with zeros, XORed with a constant
    /// (RFC 2104 §2).</summary>
    public static Sha1State AfterPaddedKey(ReadOnlySpan<byte> key, byte padding)
    {
        var block = (stackalloc byte[Sha1Compression.BlockLength]);
        var schedule = (stackalloc uint[Sha1Compression.ScheduleLength]);
        block.Fill(padding);
        for (int i = 0; i < key.Length; i++)
            block[i] ^= key[i];
        var state = Initial;
        var alone = default(NoCompanion);
        Sha1Compression.Compress(ref state, block, schedule, ref alone);
        CryptographicOperations.ZeroMemory(block);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(schedule));
        return state;
    }

    /// <param name="digest">At least <see cref="DigestLength"/> bytes.</param>
    public readonly void Write(Span<byte> digest)
    {
        BinaryPrimitives.WriteUInt32BigEndian(digest, A);
        BinaryPrimitives.WriteUInt32BigEndian(digest[4..], B);
        BinaryPrimitives.WriteUInt32BigEndian(digest[8..], C);
        BinaryPrimitives.WriteUInt32BigEndian(digest[12..], D);
        BinaryPrimitives.WriteUInt32BigEndian(digest[16..], E);
    }
}
