using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The compression function of SHA-1 (FIPS 180-4 §6.1.2).</summary>
/// <remarks>The message schedule is computed before the rounds, four words at a time; the rounds are scalar. Runs in constant time: no
/// branch and no address depends on data.</remarks>
internal static class Sha1Compression
{
    public const int BlockLength = 64;

    /// <summary>The number of words of scratch space that the caller provides and zeroes.</summary>
    public const int ScheduleLength = 80;

    /// <param name="state">The chaining value.</param>
    /// <param name="block">64 bytes.</param>
    /// <param name="schedule"><see cref="ScheduleLength"/> words.</param>
    /// <param name="companion">Runs four steps. It may overwrite the block.</param>
    public static void Compress<TCompanion>(
        ref Sha1State state, scoped ReadOnlySpan<byte> block, scoped Span<uint> schedule, ref TCompanion companion)
        where TCompanion : struct, IHashCompanion, allows ref struct
    {
        ref uint words = ref MemoryMarshal.GetReference(schedule[..ScheduleLength]);
        Expand(ref MemoryMarshal.GetReference(block[..BlockLength]), ref words);

        uint a = state.A, b = state.B, c = state.C, d = state.D, e = state.E;
        companion.Step();
        for (nuint t = 0; t < 20; t += 5)
        {
            Choose(a, ref b, c, d, ref e, Unsafe.Add(ref words, t));
            Choose(e, ref a, b, c, ref d, Unsafe.Add(ref words, t + 1));
            Choose(d, ref e, a, b, ref c, Unsafe.Add(ref words, t + 2));
            Choose(c, ref d, e, a, ref b, Unsafe.Add(ref words, t + 3));
            Choose(b, ref c, d, e, ref a, Unsafe.Add(ref words, t + 4));
        }
        companion.Step();
        for (nuint t = 20; t < 40; t += 5)
        {
            Parity(a, ref b, c, d, ref e, Unsafe.Add(ref words, t));
            Parity(e, ref a, b, c, ref d, Unsafe.Add(ref words, t + 1));
            Parity(d, ref e, a, b, ref c, Unsafe.Add(ref words, t + 2));
            Parity(c, ref d, e, a, ref b, Unsafe.Add(ref words, t + 3));
            Parity(b, ref c, d, e, ref a, Unsafe.Add(ref words, t + 4));
        }
        companion.Step();
        for (nuint t = 40; t < 60; t += 5)
        {
            Majority(a, ref b, c, d, ref e, Unsafe.Add(ref words, t));
            Majority(e, ref a, b, c, ref d, Unsafe.Add(ref words, t + 1));
            Majority(d, ref e, a, b, ref c, Unsafe.Add(ref words, t + 2));
            Majority(c, ref d, e, a, ref b, Unsafe.Add(ref words, t + 3));
            Majority(b, ref c, d, e, ref a, Unsafe.Add(ref words, t + 4));
        }
        companion.Step();
        for (nuint t = 60; t < 80; t += 5)
        {
            Parity(a, ref b, c, d, ref e, Unsafe.Add(ref words, t));
            Parity(e, ref a, b, c, ref d, Unsafe.Add(ref words, t + 1));
            Parity(d, ref e, a, b, ref c, Unsafe.Add(ref words, t + 2));
            Parity(c, ref d, e, a, ref b, Unsafe.Add(ref words, t + 3));
            Parity(b, ref c, d, e, ref a, Unsafe.Add(ref words, t + 4));
        }
        state.A += a;
        state.B += b;
        state.C += c;
        state.D += d;
        state.E += e;
    }

    /// <summary>Computes Wt + Kt for all t, four at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Expand(ref byte block, ref uint words)
    {
        var k = Vector128.Create(0x5A827999u);
        var w0 = Load(ref block, 0);
        var w1 = Load(ref block, 16);
        var w2 = Load(ref block, 32);
        var w3 = Load(ref block, 48);
        (w0 + k).StoreUnsafe(ref words, 0);
        (w1 + k).StoreUnsafe(ref words, 4);
        (w2 + k).StoreUnsafe(ref words, 8);
        (w3 + k).StoreUnsafe(ref words, 12);
        var w4 = NextBefore32(w0, w1, w2, w3);
        (w4 + k).StoreUnsafe(ref words, 16);
        k = Vector128.Create(0x6ED9EBA1u);
        var w5 = NextBefore32(w1, w2, w3, w4);
        (w5 + k).StoreUnsafe(ref words, 20);
        var w6 = NextBefore32(w2, w3, w4, w5);
        (w6 + k).StoreUnsafe(ref words, 24);
        var w7 = NextBefore32(w3, w4, w5, w6);
        (w7 + k).StoreUnsafe(ref words, 28);
        w0 = Next(w0, w1, w4, w6, w7);
        (w0 + k).StoreUnsafe(ref words, 32);
        w1 = Next(w1, w2, w5, w7, w0);
        (w1 + k).StoreUnsafe(ref words, 36);
        k = Vector128.Create(0x8F1BBCDCu);
        w2 = Next(w2, w3, w6, w0, w1);
        (w2 + k).StoreUnsafe(ref words, 40);
        w3 = Next(w3, w4, w7, w1, w2);
        (w3 + k).StoreUnsafe(ref words, 44);
        w4 = Next(w4, w5, w0, w2, w3);
        (w4 + k).StoreUnsafe(ref words, 48);
        w5 = Next(w5, w6, w1, w3, w4);
        (w5 + k).StoreUnsafe(ref words, 52);
        w6 = Next(w6, w7, w2, w4, w5);
        (w6 + k).StoreUnsafe(ref words, 56);
        k = Vector128.Create(0xCA62C1D6u);
        w7 = Next(w7, w0, w3, w5, w6);
        (w7 + k).StoreUnsafe(ref words, 60);
        w0 = Next(w0, w1, w4, w6, w7);
        (w0 + k).StoreUnsafe(ref words, 64);
        w1 = Next(w1, w2, w5, w7, w0);
        (w1 + k).StoreUnsafe(ref words, 68);
        w2 = Next(w2, w3, w6, w0, w1);
        (w2 + k).StoreUnsafe(ref words, 72);
        w3 = Next(w3, w4, w7, w1, w2);
        (w3 + k).StoreUnsafe(ref words, 76);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Load(ref byte block, nuint at) =>
        Ssse3.Shuffle(
            Vector128.LoadUnsafe(ref block, at),
            Vector128.Create((byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)).AsUInt32();

    /// <summary>Computes Wt = ROTL1(Wt-3 ^ Wt-8 ^ Wt-14 ^ Wt-16) for four t at once.</summary>
    /// <remarks>The fourth word needs the first of the four, which is added afterwards: the rotation of a sum is the sum of the
    /// rotations.</remarks>
    /// <param name="t16">Wt-16 to Wt-13.</param>
    /// <param name="t12">Wt-12 to Wt-9.</param>
    /// <param name="t8">Wt-8 to Wt-5.</param>
    /// <param name="t4">Wt-4 to Wt-1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> NextBefore32(Vector128<uint> t16, Vector128<uint> t12, Vector128<uint> t8, Vector128<uint> t4)
    {
        var t14 = Ssse3.AlignRight(t12.AsByte(), t16.AsByte(), 8).AsUInt32();
        var t3 = Sse2.ShiftRightLogical128BitLane(t4, 4);
        var sum = t16 ^ t14 ^ t8 ^ t3;
        return RotateLeft(sum, 1) ^ RotateLeft(Sse2.ShiftLeftLogical128BitLane(sum, 12), 2);
    }

    /// <summary>Computes Wt = ROTL2(Wt-6 ^ Wt-16 ^ Wt-28 ^ Wt-32) for four t at once.</summary>
    /// <remarks>From t = 32 on, this is the recurrence applied to itself. No word depends on another of the four.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Next(
        Vector128<uint> t32, Vector128<uint> t28, Vector128<uint> t16, Vector128<uint> t8, Vector128<uint> t4)
    {
        var t6 = Ssse3.AlignRight(t4.AsByte(), t8.AsByte(), 8).AsUInt32();
        return RotateLeft(t32 ^ t28 ^ t16 ^ t6, 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> RotateLeft(Vector128<uint> value, [ConstantExpected] byte count) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(value, count) : (value << count) | (value >>> (32 - count));

    /// <summary>Computes one round.</summary>
    /// <remarks>The terms are added in the order in which they become available: the term that depends on the previous round is last. The
    /// two terms of Ch and of Maj have no bit in common, so they can be added separately.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Choose(uint a, ref uint b, uint c, uint d, ref uint e, uint word)
    {
        e += word;
        e += d & ~b;
        e += b & c;
        Rotate(a, ref b, ref e);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Parity(uint a, ref uint b, uint c, uint d, ref uint e, uint word)
    {
        e += word;
        e += b ^ (c ^ d);
        Rotate(a, ref b, ref e);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Majority(uint a, ref uint b, uint c, uint d, ref uint e, uint word)
    {
        e += word;
        e += c & d;
        e += b & (c ^ d);
        Rotate(a, ref b, ref e);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rotate(uint a, ref uint b, ref uint e)
    {
        e += BitOperations.RotateLeft(a, 5);
        b = BitOperations.RotateLeft(b, 30);
    }
}

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
