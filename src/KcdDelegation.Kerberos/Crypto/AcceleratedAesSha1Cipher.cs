using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>An authenticator cipher for types 17 and 18 that uses the processor's AES instructions.</summary>
/// <remarks>RFC 3961 §5.3 authenticates the plaintext. HMAC-SHA1 therefore does not depend on the ciphertext, and both run interleaved,
/// AES block by AES block.</remarks>
internal sealed class AcceleratedAesSha1Cipher : AuthenticatorCipher
{
    private const int BlockLength = Sha1Compression.BlockLength;

    /// <summary>The round keys, then the chaining values of HMAC's inner and outer hash after the key block (RFC 2104 §4).</summary>
    private readonly PinnedSecret _prepared;

    private readonly int _rounds;
    private readonly int _roundKeysLength;

    public AcceleratedAesSha1Cipher(KerberosKey key, KeyUsage usage)
        : base(key, usage)
    {
        var encryptionKey = key.Derive(usage, KeyPurpose.Encryption);
        _rounds = AesKeySchedule.Rounds(encryptionKey.Length);
        _roundKeysLength = AesKeySchedule.Length(encryptionKey.Length);
        _prepared = new PinnedSecret(_roundKeysLength + (2 * Unsafe.SizeOf<Sha1State>()));
        AesKeySchedule.Expand(encryptionKey.Span, _prepared.Span[.._roundKeysLength]);
        encryptionKey.ThrowIfZeroed();

        var states = MemoryMarshal.Cast<byte, Sha1State>(_prepared.Span[_roundKeysLength..]);
        states[0] = Sha1State.AfterPaddedKey(IntegrityKey.Span, padding: 0x36);
        states[1] = Sha1State.AfterPaddedKey(IntegrityKey.Span, padding: 0x5C);
        IntegrityKey.ThrowIfZeroed();
    }

    public override void Dispose() => _prepared.Dispose();

    [SkipLocalsInit]
    private protected override void SealCore(Span<byte> message)
    {
        var prepared = _prepared.Span;
        var states = MemoryMarshal.Cast<byte, Sha1State>(prepared[_roundKeysLength..]);
        scoped var chain = new AesCbcChain(ref MemoryMarshal.GetReference(prepared), _rounds);
        var text = message[..^TagLength];
        var schedule = (stackalloc uint[Sha1Compression.ScheduleLength]);

        // AES pads the remainder with zeros and the hash pads it differently, so each gets a copy. No plaintext remains in the copies: the
        // ciphertext overwrites the first, the digest the second, and the last compression the schedule.
        int whole = text.Length / BlockLength * BlockLength;
        var rest = text[whole..];
        var restForAes = (stackalloc byte[BlockLength]);
        restForAes.Clear();
        rest.CopyTo(restForAes);
        var buffer = (stackalloc byte[2 * BlockLength]);
        rest.CopyTo(buffer);
        var padded = PadForHash(buffer, rest.Length, BlockLength, BlockLength + text.Length);

        // Complete hash blocks, each interleaved with its four AES blocks. The hash reads each block before AES overwrites it.
        var state = states[0];
        chain.Continue(text[..whole]);
        for (int at = 0; at < whole; at += BlockLength)
            Sha1Compression.Compress(ref state, text.Slice(at, BlockLength), schedule, ref chain);

        chain.ContinuePadded(restForAes, rest.Length);
        for (int at = 0; at < padded.Length; at += BlockLength)
            Sha1Compression.Compress(ref state, padded.Slice(at, BlockLength), schedule, ref chain);
        restForAes[..rest.Length].CopyTo(rest);
        chain.StealCiphertext(text);

        state.Write(buffer);
        padded = PadForHash(buffer, Sha1State.DigestLength, BlockLength, BlockLength + Sha1State.DigestLength);
        state = states[1];
        // AES is finished: the companion does nothing here.
        Sha1Compression.Compress(ref state, padded, schedule, ref chain);
        state.Write(buffer);
        buffer[..TagLength].CopyTo(message[^TagLength..]);
        _prepared.ThrowIfZeroed();
    }
}
