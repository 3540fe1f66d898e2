using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The chaining value of a SHA-2 hash.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Sha2State<TWord>
    where TWord : unmanaged, IBinaryInteger<TWord>
{
    public TWord A;
    public TWord B;
    public TWord C;
    public TWord D;
    public TWord E;
    public TWord F;
    public TWord G;
    public TWord H;

    private static int BlockLength => Sha2Compression.WordsPerBlock * Unsafe.SizeOf<TWord>();

    /// <summary>Returns the state after the first block of HMAC's inner or outer hash: the key, padded with zeros, XORed with a constant
    /// (RFC 2104 §2).</summary>
    public static Sha2State<TWord> AfterPaddedKey<THash>(ReadOnlySpan<byte> key, byte padding)
        where THash : struct, ISha2<TWord>
    {
        var block = (stackalloc byte[BlockLength]);
        var schedule = (stackalloc TWord[Sha2Compression.ScheduleLength]);
        block.Fill(padding);
        for (int i = 0; i < key.Length; i++)
            block[i] ^= key[i];
        var state = THash.Initial;
        var alone = default(NoCompanion);
        Sha2Compression.Compress<TWord, THash, NoCompanion>(ref state, block, schedule, ref alone);
        CryptographicOperations.ZeroMemory(block);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(schedule));
        return state;
    }

    /// <param name="digest">At least eight words. The digest may be shorter.</param>
    public readonly void Write(Span<byte> digest)
    {
        Write(A, digest, 0);
        Write(B, digest, 1);
        Write(C, digest, 2);
        Write(D, digest, 3);
        Write(E, digest, 4);
        Write(F, digest, 5);
        Write(G, digest, 6);
        Write(H, digest, 7);
    }

    /// <summary>Writes one word. The method without Try is a default interface method, which would box the word.</summary>
    private static void Write(TWord word, Span<byte> digest, int index)
    {
        if (!word.TryWriteBigEndian(digest[(index * Unsafe.SizeOf<TWord>())..], out _))
            throw new ArgumentException("The digest needs space for eight words.", nameof(digest));
    }
}
