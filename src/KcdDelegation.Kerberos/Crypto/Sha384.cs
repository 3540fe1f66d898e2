using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>SHA-384: SHA-512 with another initial value, truncated to 48 bytes (FIPS 180-4 §6.5).</summary>
internal readonly struct Sha384 : ISha2<ulong>
{
    /// <summary>The constants of FIPS 180-4 §4.2.3. They are public and read at addresses that depend only on the round.</summary>
    /// <remarks>An array, because a span of constants allocates until the method is optimized.</remarks>
    private static readonly ulong[] RoundConstants =
    [
        0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
        0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
        0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
        0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
        0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
        0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
        0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
        0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
        0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
        0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
        0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
        0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
        0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
        0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
        0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
        0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
        0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
        0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
        0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
        0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
    ];

    public static int DigestLength => 48;

    /// <summary>FIPS 180-4 §5.3.4.</summary>
    public static Sha2State<ulong> Initial => new()
    {
        A = 0xcbbb9d5dc1059ed8,
        B = 0x629a292a367cd507,
        C = 0x9159015a3070dd17,
        D = 0x152fecd8f70e5939,
        E = 0x67332667ffc00b31,
        F = 0x8eb44a8768581511,
        G = 0xdb0c2e0d64f98fa7,
        H = 0x47b5481dbefa4fa4,
    };

    public static ReadOnlySpan<ulong> Constants => RoundConstants;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Sum0(ulong value) =>
        BitOperations.RotateRight(value, 28) ^ BitOperations.RotateRight(value, 34) ^ BitOperations.RotateRight(value, 39);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Sum1(ulong value) =>
        BitOperations.RotateRight(value, 14) ^ BitOperations.RotateRight(value, 18) ^ BitOperations.RotateRight(value, 41);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(ref byte block, ref ulong words)
    {
        var reverse = Vector128.Create((byte)7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
        for (nuint i = 0; i < Sha2Compression.WordsPerBlock; i += 2)
            Ssse3.Shuffle(Vector128.LoadUnsafe(ref block, i * sizeof(ulong)), reverse).AsUInt64().StoreUnsafe(ref words, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Advance(ref ulong words, ref ulong next)
    {
        var w0 = Vector128.LoadUnsafe(ref words, 0);
        var w2 = Vector128.LoadUnsafe(ref words, 2);
        var w4 = Vector128.LoadUnsafe(ref words, 4);
        var w6 = Vector128.LoadUnsafe(ref words, 6);
        var w8 = Vector128.LoadUnsafe(ref words, 8);
        var w10 = Vector128.LoadUnsafe(ref words, 10);
        var w12 = Vector128.LoadUnsafe(ref words, 12);
        var w14 = Vector128.LoadUnsafe(ref words, 14);
        w0 = Next(w0, w2, w8, w10, w14);
        w2 = Next(w2, w4, w10, w12, w0);
        w4 = Next(w4, w6, w12, w14, w2);
        w6 = Next(w6, w8, w14, w0, w4);
        w8 = Next(w8, w10, w0, w2, w6);
        w10 = Next(w10, w12, w2, w4, w8);
        w12 = Next(w12, w14, w4, w6, w10);
        w14 = Next(w14, w0, w6, w8, w12);
        w0.StoreUnsafe(ref next, 0);
        w2.StoreUnsafe(ref next, 2);
        w4.StoreUnsafe(ref next, 4);
        w6.StoreUnsafe(ref next, 6);
        w8.StoreUnsafe(ref next, 8);
        w10.StoreUnsafe(ref next, 10);
        w12.StoreUnsafe(ref next, 12);
        w14.StoreUnsafe(ref next, 14);
    }

    /// <summary>Computes Wt = σ1(Wt-2) + Wt-7 + σ0(Wt-15) + Wt-16 for two t at once.</summary>
    /// <param name="t16">Wt-16 and Wt-15.</param>
    /// <param name="t14">Wt-14 and Wt-13.</param>
    /// <param name="t8">Wt-8 and Wt-7.</param>
    /// <param name="t6">Wt-6 and Wt-5.</param>
    /// <param name="t2">Wt-2 and Wt-1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Next(
        Vector128<ulong> t16, Vector128<ulong> t14, Vector128<ulong> t8, Vector128<ulong> t6, Vector128<ulong> t2)
    {
        var t15 = Ssse3.AlignRight(t14.AsByte(), t16.AsByte(), sizeof(ulong)).AsUInt64();
        var t7 = Ssse3.AlignRight(t6.AsByte(), t8.AsByte(), sizeof(ulong)).AsUInt64();
        var sigma0 = RotateRight(t15, 1) ^ RotateRight(t15, 8) ^ (t15 >>> 7);
        var sigma1 = RotateRight(t2, 19) ^ RotateRight(t2, 61) ^ (t2 >>> 6);
        return t16 + t7 + sigma0 + sigma1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> RotateRight(Vector128<ulong> value, [ConstantExpected] byte count) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(value, count) : (value >>> count) | (value << (64 - count));
}
