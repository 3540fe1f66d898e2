using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>An authenticator cipher for types 19 and 20 that uses the processor's AES instructions and HMAC-SHA2 in managed
/// code.</summary>
/// <remarks>RFC 8009 §5 authenticates the ciphertext. The hash therefore follows AES as closely as ciphertext stealing allows.</remarks>
internal sealed class AcceleratedAesSha2Cipher<TWord, THash> : AuthenticatorCipher
    where TWord : unmanaged, IBinaryInteger<TWord>
    where THash : struct, ISha2<TWord>
{
    /// <summary>The length of the cipher state (16 zeros), which precedes the ciphertext in the hash (RFC 8009 §5).</summary>
    private const int HeadLength = AesCts.BlockLength;

    /// <summary>The round keys, then the chaining values of HMAC's inner and outer hash after the key block (RFC 2104 §4).</summary>
    private readonly PinnedSecret _prepared;

    private readonly int _rounds;
    private readonly int _roundKeysLength;

    public AcceleratedAesSha2Cipher(KerberosKey key, KeyUsage usage)
        : base(key, usage)
    {
        var encryptionKey = key.Derive(usage, KeyPurpose.Encryption);
        _rounds = AesKeySchedule.Rounds(encryptionKey.Length);
        _roundKeysLength = AesKeySchedule.Length(encryptionKey.Length);
        _prepared = new PinnedSecret(_roundKeysLength + (2 * Unsafe.SizeOf<Sha2State<TWord>>()));
        AesKeySchedule.Expand(encryptionKey.Span, _prepared.Span[.._roundKeysLength]);
        encryptionKey.ThrowIfZeroed();

        var states = MemoryMarshal.Cast<byte, Sha2State<TWord>>(_prepared.Span[_roundKeysLength..]);
        states[0] = Sha2State<TWord>.AfterPaddedKey<THash>(IntegrityKey.Span, padding: 0x36);
        states[1] = Sha2State<TWord>.AfterPaddedKey<THash>(IntegrityKey.Span, padding: 0x5C);
        IntegrityKey.ThrowIfZeroed();
    }

    private static int BlockLength => Sha2Compression.WordsPerBlock * Unsafe.SizeOf<TWord>();

    public override void Dispose() => _prepared.Dispose();

    [SkipLocalsInit]
    private protected override void SealCore(Span<byte> message)
    {
        var prepared = _prepared.Span;
        var states = MemoryMarshal.Cast<byte, Sha2State<TWord>>(prepared[_roundKeysLength..]);
        scoped var chain = new AesCbcChain(ref MemoryMarshal.GetReference(prepared), _rounds);
        var text = message[..^TagLength];
        var schedule = (stackalloc TWord[Sha2Compression.ScheduleLength]);
        var buffer = (stackalloc byte[2 * BlockLength]);
        buffer[..HeadLength].Clear();

        // AES pads with zeros. They are written to the bytes that the tag occupies later.
        var padded = message[..AesCts.PaddedLength(text.Length)];
        padded[text.Length..].Clear();
        chain.Continue(padded);

        // The hash runs interleaved with AES until it reaches AES's last two blocks, which ciphertext stealing still exchanges.
        var state = states[0];
        int settled = padded.Length - (2 * AesCts.BlockLength);
        int hashed = 0;
        for (int next = BlockLength - HeadLength; next <= settled; next += BlockLength)
        {
            chain.EncryptUntil(next);
            scoped ReadOnlySpan<byte> block = hashed == 0 ? WithHead(text[..next], buffer) : text[hashed..next];
            Sha2Compression.Compress<TWord, THash, AesCbcChain>(ref state, block, schedule, ref chain);
            hashed = next;
        }
        chain.EncryptUntil(padded.Length);
        chain.StealCiphertext(text);

        scoped Span<byte> rest = buffer[..(text.Length - hashed)];
        if (hashed == 0)
            rest = WithHead(text, buffer);
        else
            text[hashed..].CopyTo(rest);
        Finish(ref state, buffer, rest.Length, HeadLength + text.Length, schedule);

        state.Write(buffer);
        state = states[1];
        Finish(ref state, buffer, THash.DigestLength, THash.DigestLength, schedule);
        state.Write(buffer);
        buffer[..TagLength].CopyTo(message[^TagLength..]);
        _prepared.ThrowIfZeroed();
    }

    private static Span<byte> WithHead(ReadOnlySpan<byte> text, Span<byte> buffer)
    {
        text.CopyTo(buffer[HeadLength..]);
        return buffer[..(HeadLength + text.Length)];
    }

    /// <summary>Finishes the inner or outer hash of HMAC, whose first block was the padded key.</summary>
    private static void Finish(ref Sha2State<TWord> state, Span<byte> buffer, int restLength, int length, Span<TWord> schedule)
    {
        var alone = default(NoCompanion);
        var padded = PadForHash(buffer, restLength, BlockLength, BlockLength + length);
        for (int at = 0; at < padded.Length; at += BlockLength)
            Sha2Compression.Compress<TWord, THash, NoCompanion>(ref state, padded.Slice(at, BlockLength), schedule, ref alone);
    }
}
