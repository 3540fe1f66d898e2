using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Authenticators of types 17 and 18 by the processor's AES instructions, with HMAC-SHA1 between the AES blocks: RFC 3961 §5.3
/// authenticates the plaintext, so neither waits for the other.</summary>
internal sealed class AcceleratedAesSha1Cipher : AuthenticatorCipher
{
    private const int BlockLength = Sha1Compression.BlockLength;

    /// <summary>Round keys | the chaining values of HMAC's inner and outer hash behind the key (RFC 2104 §4).</summary>
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

        // The blocks of the hash that are whole, each with the four blocks of AES in it: the hash has read what AES overwrites.
        var state = states[0];
        int whole = text.Length / BlockLength * BlockLength;
        chain.Continue(text[..whole]);
        for (int at = 0; at < whole; at += BlockLength)
            Sha1Compression.Compress(ref state, text.Slice(at, BlockLength), schedule, ref chain);

        // The rest in two copies, since AES pads it with zeros and the hash in its own way. No plaintext stays behind in them: AES
        // replaces the one, the digest the other, and the last compression what the schedule held.
        var rest = text[whole..];
        var restForAes = (stackalloc byte[BlockLength]);
        restForAes.Clear();
        rest.CopyTo(restForAes);
        chain.Continue(restForAes[..AesCts.PaddedLength(rest.Length)]);
        var buffer = (stackalloc byte[2 * BlockLength]);
        rest.CopyTo(buffer);
        var padded = HashPadding.Append(buffer, rest.Length, BlockLength, BlockLength + text.Length);
        for (int at = 0; at < padded.Length; at += BlockLength)
            Sha1Compression.Compress(ref state, padded.Slice(at, BlockLength), schedule, ref chain);
        restForAes[..rest.Length].CopyTo(rest);
        chain.StealCiphertext(text);

        state.Write(buffer);
        padded = HashPadding.Append(buffer, Sha1State.DigestLength, BlockLength, BlockLength + Sha1State.DigestLength);
        state = states[1];
        // The chain has nothing left to do.
        Sha1Compression.Compress(ref state, padded, schedule, ref chain);
        state.Write(buffer);
        buffer[..TagLength].CopyTo(message[^TagLength..]);
        _prepared.ThrowIfZeroed();
    }
}
