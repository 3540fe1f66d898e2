using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>SHA-256 (FIPS 180-4 §6.2).</summary>
internal readonly struct Sha256 : ISha2<uint>
{
    /// <summary>The constants of FIPS 180-4 §4.2.2. They are public and read at addresses that depend only on the round.</summary>
    /// <remarks>An array, because a span of constants allocates until the method is optimized.</remarks>
    private static readonly uint[] RoundConstants =
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    public static int DigestLength => 32;

    /// <summary>FIPS 180-4 §5.3.3.</summary>
    public static Sha2State<uint> Initial => new()
    {
        A = 0x6a09e667,
        B = 0xbb67ae85,
        C = 0x3c6ef372,
        D = 0xa54ff53a,
        E = 0x510e527f,
        F = 0x9b05688c,
        G = 0x1f83d9ab,
        H = 0x5be0cd19,
    };

    public static ReadOnlySpan<uint> Constants => RoundConstants;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Sum0(uint value) =>
        BitOperations.RotateRight(value, 2) ^ BitOperations.RotateRight(value, 13) ^ BitOperations.RotateRight(value, 22);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Sum1(uint value) =>
        BitOperations.RotateRight(value, 6) ^ BitOperations.RotateRight(value, 11) ^ BitOperations.RotateRight(value, 25);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(ref byte block, ref uint words)
    {
        var reverse = Vector128.Create((byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
        for (nuint i = 0; i < Sha2Compression.WordsPerBlock; i += 4)
            Ssse3.Shuffle(Vector128.LoadUnsafe(ref block, i * sizeof(uint)), reverse).AsUInt32().StoreUnsafe(ref words, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Advance(ref uint words, ref uint next)
    {
        var w0 = Vector128.LoadUnsafe(ref words, 0);
        var w4 = Vector128.LoadUnsafe(ref words, 4);
        var w8 = Vector128.LoadUnsafe(ref words, 8);
        var w12 = Vector128.LoadUnsafe(ref words, 12);
        w0 = Next(w0, w4, w8, w12);
        w4 = Next(w4, w8, w12, w0);
        w8 = Next(w8, w12, w0, w4);
        w12 = Next(w12, w0, w4, w8);
        w0.StoreUnsafe(ref next, 0);
        w4.StoreUnsafe(ref next, 4);
        w8.StoreUnsafe(ref next, 8);
        w12.StoreUnsafe(ref next, 12);
    }

    /// <summary>Computes Wt = σ1(Wt-2) + Wt-7 + σ0(Wt-15) + Wt-16 for four t at once. The third and fourth need the first and
    /// second.</summary>
    /// <param name="t16">Wt-16 to Wt-13.</param>
    /// <param name="t12">Wt-12 to Wt-9.</param>
    /// <param name="t8">Wt-8 to Wt-5.</param>
    /// <param name="t4">Wt-4 to Wt-1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Next(Vector128<uint> t16, Vector128<uint> t12, Vector128<uint> t8, Vector128<uint> t4)
    {
        var t15 = Ssse3.AlignRight(t12.AsByte(), t16.AsByte(), sizeof(uint)).AsUInt32();
        var t7 = Ssse3.AlignRight(t4.AsByte(), t8.AsByte(), sizeof(uint)).AsUInt32();
        var sum = t16 + t7 + (RotateRight(t15, 7) ^ RotateRight(t15, 18) ^ (t15 >>> 3));
        sum += Sigma1(Sse2.ShiftRightLogical128BitLane(t4, 8));
        return sum + Sigma1(Sse2.ShiftLeftLogical128BitLane(sum, 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Sigma1(Vector128<uint> value) => RotateRight(value, 17) ^ RotateRight(value, 19) ^ (value >>> 10);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> RotateRight(Vector128<uint> value, [ConstantExpected] byte count) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(value, count) : (value >>> count) | (value << (32 - count));
}
