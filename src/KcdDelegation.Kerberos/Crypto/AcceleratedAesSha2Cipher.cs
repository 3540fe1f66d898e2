using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Authenticators of types 19 and 20 by the processor's AES instructions and HMAC-SHA2 in managed code. RFC 8009 §5 authenticates
/// the ciphertext, so the hash follows AES as closely as ciphertext stealing allows.</summary>
internal sealed class AcceleratedAesSha2Cipher<TWord, THash> : AuthenticatorCipher
    where TWord : unmanaged, IBinaryInteger<TWord>
    where THash : struct, ISha2<TWord>
{
    /// <summary>RFC 8009 §5: the hash takes the cipher state, 16 zeros, before the ciphertext.</summary>
    private const int HeadLength = AesCts.BlockLength;

    /// <summary>Round keys | the chaining values of HMAC's inner and outer hash behind the key (RFC 2104 §4).</summary>
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

        // AES pads with zeros, and there is room for them where the tag will stand.
        var padded = message[..AesCts.PaddedLength(text.Length)];
        padded[text.Length..].Clear();
        chain.Continue(padded);

        // The hash runs beside AES as long as it needs no part of AES's last two blocks, which are still to be exchanged.
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

    /// <summary>The end of either hash of HMAC, whose first block was the padded key.</summary>
    private static void Finish(ref Sha2State<TWord> state, Span<byte> buffer, int restLength, int length, Span<TWord> schedule)
    {
        var alone = default(NoCompanion);
        var padded = HashPadding.Append(buffer, restLength, BlockLength, BlockLength + length);
        for (int at = 0; at < padded.Length; at += BlockLength)
            Sha2Compression.Compress<TWord, THash, NoCompanion>(ref state, padded.Slice(at, BlockLength), schedule, ref alone);
    }
}
