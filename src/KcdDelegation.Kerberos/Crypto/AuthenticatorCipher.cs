using System.Buffers.Binary;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The per-request encryption of one ticket's authenticators (RFC 3961 §3 "encrypt").</summary>
/// <remarks>Keeps everything that does not change between authenticators. Thread-safe without locks. Allocates nothing after the first
/// message. Every implementation returns the result of <see cref="EncryptionProfile.Seal"/>.</remarks>
internal abstract class AuthenticatorCipher : IDisposable
{
    private protected AuthenticatorCipher(KerberosKey key, KeyUsage usage)
    {
        Overhead = key.Profile.Overhead;
        TagLength = key.Profile.ChecksumLength;
        IntegrityKey = key.Derive(usage, KeyPurpose.Integrity);
    }

    /// <summary>The number of bytes by which a message exceeds its plaintext: the confounder before it and the tag after it.</summary>
    public int Overhead { get; }

    private protected int TagLength { get; }

    /// <summary>Ki.</summary>
    private protected PinnedSecret IntegrityKey { get; }

    /// <summary>Creates the cipher of a key and usage. The cipher fails after <paramref name="key"/> is disposed.</summary>
    /// <exception cref="PlatformNotSupportedException"><see cref="CipherPath.Accelerated"/> was requested and the processor does not
    /// support it.</exception>
    public static AuthenticatorCipher Create(KerberosKey key, KeyUsage usage, CipherPath path = CipherPath.Automatic) =>
        CipherPathSelection.Resolve(path) == CipherPath.Platform
            ? new PlatformAuthenticatorCipher(key, usage)
            : key.Type switch
            {
                EncryptionType.Aes128CtsHmacSha256 => new AcceleratedAesSha2Cipher<uint, Sha256>(key, usage),
                EncryptionType.Aes256CtsHmacSha384 => new AcceleratedAesSha2Cipher<ulong, Sha384>(key, usage),
                _ => new AcceleratedAesSha1Cipher(key, usage),
            };

    /// <param name="message">The confounder (16 random bytes), the plaintext and space for the tag. Replaced by the ciphertext.</param>
    /// <exception cref="ObjectDisposedException">The key or this cipher was disposed. The message is unusable.</exception>
    public void Seal(Span<byte> message)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(message.Length, Overhead);
        SealCore(message);
        IntegrityKey.ThrowIfZeroed();
    }

    public abstract void Dispose();

    /// <summary>Pads a message for SHA-1 or SHA-2 (FIPS 180-4 §5.1).</summary>
    /// <param name="buffer">Two blocks long. Starts with the end of the message.</param>
    /// <param name="restLength">The number of message bytes in <paramref name="buffer"/>.</param>
    /// <param name="blockLength">The length of a block in bytes. An eighth of it holds the message length.</param>
    /// <param name="messageLength">The length of the whole message in bytes.</param>
    /// <returns>The last block, or the last two blocks.</returns>
    internal static Span<byte> PadForHash(Span<byte> buffer, int restLength, int blockLength, int messageLength)
    {
        var padded = buffer[..(restLength + 1 + (blockLength / 8) <= blockLength ? blockLength : 2 * blockLength)];
        padded[restLength..].Clear();
        padded[restLength] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(padded[^sizeof(long)..], 8L * messageLength);
        return padded;
    }

    private protected abstract void SealCore(Span<byte> message);
}
