using System.Numerics;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The parts in which the hashes of FIPS 180-4 §6.2 and §6.4 differ: the word and its operations.</summary>
/// <typeparam name="TWord"><see cref="uint"/> or <see cref="ulong"/>.</typeparam>
internal interface ISha2<TWord>
    where TWord : unmanaged, IBinaryInteger<TWord>
{
    /// <summary>The length of the digest in bytes.</summary>
    static abstract int DigestLength { get; }

    static abstract Sha2State<TWord> Initial { get; }

    /// <summary>The constants Kt, one for each round.</summary>
    static abstract ReadOnlySpan<TWord> Constants { get; }

    /// <summary>Computes Σ0.</summary>
    static abstract TWord Sum0(TWord value);

    /// <summary>Computes Σ1.</summary>
    static abstract TWord Sum1(TWord value);

    /// <summary>Reads the first 16 words of the message schedule.</summary>
    static abstract void Load(ref byte block, ref TWord words);

    /// <summary>Computes the 16 words of the message schedule that follow <paramref name="words"/>.</summary>
    static abstract void Advance(ref TWord words, ref TWord next);
}
