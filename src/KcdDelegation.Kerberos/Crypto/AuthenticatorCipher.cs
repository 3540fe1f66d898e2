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

    private protected abstract void SealCore(Span<byte> message);
}
