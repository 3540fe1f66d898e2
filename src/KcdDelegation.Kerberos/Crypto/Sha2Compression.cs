using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The compression function of SHA-2 (FIPS 180-4 §6.2.2 and §6.4.2).</summary>
/// <remarks>The message schedule is computed with vectors, 16 words at a time; the rounds are scalar. Runs in constant time: no branch and
/// no address depends on data.</remarks>
internal static class Sha2Compression
{
    public const int WordsPerBlock = 16;

    /// <summary>The number of words of scratch space that the caller provides and zeroes.</summary>
    public const int ScheduleLength = 2 * WordsPerBlock;

    /// <param name="state">The chaining value.</param>
    /// <param name="block">16 words.</param>
    /// <param name="schedule"><see cref="ScheduleLength"/> words.</param>
    /// <param name="companion">Runs a step every 16 rounds. It may overwrite the block.</param>
    public static void Compress<TWord, THash, TCompanion>(
        ref Sha2State<TWord> state, scoped ReadOnlySpan<byte> block, scoped Span<TWord> schedule, ref TCompanion companion)
        where TWord : unmanaged, IBinaryInteger<TWord>
        where THash : struct, ISha2<TWord>
        where TCompanion : struct, IHashCompanion, allows ref struct
    {
        ref var w = ref MemoryMarshal.GetReference(schedule[..ScheduleLength]);
        ref var next = ref Unsafe.Add(ref w, WordsPerBlock);
        THash.Load(ref MemoryMarshal.GetReference(block[..(WordsPerBlock * Unsafe.SizeOf<TWord>())]), ref w);
        ref var k = ref MemoryMarshal.GetReference(THash.Constants);
        nuint rounds = (nuint)THash.Constants.Length;

        TWord a = state.A, b = state.B, c = state.C, d = state.D, e = state.E, f = state.F, g = state.G, h = state.H;
        var bc = b ^ c;
        for (nuint t = 0; ;)
        {
            // Computed before the rounds that need it, so that the processor can run both in parallel.
            if (t + WordsPerBlock < rounds)
                THash.Advance(ref w, ref next);
            companion.Step();
            for (nuint i = 0; i < WordsPerBlock; i += 8)
            {
                Round<TWord, THash>(a, b, c, ref d, e, f, g, ref h, ref bc, ref w, ref k, i, t + i);
                Round<TWord, THash>(h, a, b, ref c, d, e, f, ref g, ref bc, ref w, ref k, i + 1, t + i + 1);
                Round<TWord, THash>(g, h, a, ref b, c, d, e, ref f, ref bc, ref w, ref k, i + 2, t + i + 2);
                Round<TWord, THash>(f, g, h, ref a, b, c, d, ref e, ref bc, ref w, ref k, i + 3, t + i + 3);
                Round<TWord, THash>(e, f, g, ref h, a, b, c, ref d, ref bc, ref w, ref k, i + 4, t + i + 4);
                Round<TWord, THash>(d, e, f, ref g, h, a, b, ref c, ref bc, ref w, ref k, i + 5, t + i + 5);
                Round<TWord, THash>(c, d, e, ref f, g, h, a, ref b, ref bc, ref w, ref k, i + 6, t + i + 6);
                Round<TWord, THash>(b, c, d, ref e, f, g, h, ref a, ref bc, ref w, ref k, i + 7, t + i + 7);
            }
            t += WordsPerBlock;
            if (t == rounds)
                break;
            ref var done = ref w;
            w = ref next;
            next = ref done;
        }
        state.A += a;
        state.B += b;
        state.C += c;
        state.D += d;
        state.E += e;
        state.F += f;
        state.G += g;
        state.H += h;
    }

    /// <summary>Computes one round.</summary>
    /// <remarks>The terms are added in the order in which they become available: the term that depends on the previous round is last. The
    /// two terms of Ch have no bit in common, so they can be added separately. Maj is b where a and b agree or b and c differ, else a.
    /// This round's a ^ b is the next round's b ^ c.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round<TWord, THash>(
        TWord a, TWord b, TWord c, ref TWord d, TWord e, TWord f, TWord g, ref TWord h,
        ref TWord bc, ref TWord w, ref TWord k, nuint i, nuint t)
        where TWord : unmanaged, IBinaryInteger<TWord>
        where THash : struct, ISha2<TWord>
    {
        h += Unsafe.Add(ref w, i) + Unsafe.Add(ref k, t);
        h += g & ~e;
        h += e & f;
        h += THash.Sum1(e);
        d += h;
        var ab = a ^ b;
        h += ((ab & bc) ^ b) + THash.Sum0(a);
        bc = ab;
    }
}
