using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The AES key expansion of FIPS 197 §5.2, by the processor's AES instructions.</summary>
internal static class AesKeySchedule
{
    public const int Aes128Rounds = 10;
    public const int Aes256Rounds = 14;

    public static int Rounds(int keyLength) => keyLength == 16 ? Aes128Rounds : Aes256Rounds;

    /// <summary>Returns the length in bytes of all round keys, including the first.</summary>
    public static int Length(int keyLength) => (Rounds(keyLength) + 1) * AesCts.BlockLength;

    /// <param name="key">16 or 32 bytes.</param>
    /// <param name="roundKeys"><see cref="Length"/> bytes.</param>
    public static void Expand(ReadOnlySpan<byte> key, Span<byte> roundKeys)
    {
        key.CopyTo(roundKeys);
        var constant = 1u;
        for (int at = key.Length; at < roundKeys.Length; at += AesCts.BlockLength)
        {
            // AESKEYGENASSIST returns, for the last word, SubWord (lane 2) and RotWord of SubWord (lane 3), combined with a round
            // constant. That constant is an immediate operand, so it is zero here and added below.
            var words = X86Aes.KeygenAssist(Block(roundKeys, at - AesCts.BlockLength), 0).AsUInt32();
            bool rotates = key.Length == 16 || at % key.Length == 0;
            var added = rotates
                ? Sse2.Shuffle(words, 0b11_11_11_11) ^ Vector128.Create(constant)
                : Sse2.Shuffle(words, 0b10_10_10_10);
            if (rotates)
                constant = (constant << 1) ^ (constant >> 7) * 0x11B;

            // Each word is the sum of the word before it and the word one key length earlier.
            var earlier = Block(roundKeys, at - key.Length);
            earlier ^= Sse2.ShiftLeftLogical128BitLane(earlier, 4);
            earlier ^= Sse2.ShiftLeftLogical128BitLane(earlier, 8);
            (earlier ^ added.AsByte()).CopyTo(roundKeys[at..]);
        }
    }

    private static Vector128<byte> Block(ReadOnlySpan<byte> bytes, int at) => Vector128.Create(bytes.Slice(at, AesCts.BlockLength));
}
