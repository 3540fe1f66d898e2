namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The per-request cryptography of one ticket: what RFC 3961 §3 calls "encrypt", with everything kept that does not change from
/// one authenticator to the next. Thread-safe without locks; allocates nothing once warm. Both paths give what
/// <see cref="EncryptionProfile.Seal"/> gives.</summary>
internal abstract class AuthenticatorCipher : IDisposable
{
    private protected AuthenticatorCipher(KerberosKey key, KeyUsage usage)
    {
        Overhead = key.Profile.Overhead;
        TagLength = key.Profile.ChecksumLength;
        IntegrityKey = key.Derive(usage, KeyPurpose.Integrity);
    }

    /// <summary>Bytes by which a message is longer than its plaintext: the confounder before it and the tag behind it.</summary>
    public int Overhead { get; }

    private protected int TagLength { get; }

    /// <summary>Ki.</summary>
    private protected PinnedSecret IntegrityKey { get; }

    /// <summary>Disposing of <paramref name="key"/> ends the cipher too.</summary>
    /// <exception cref="PlatformNotSupportedException"><see cref="CipherPath.Accelerated"/> on a processor that cannot.</exception>
    public static AuthenticatorCipher Create(KerberosKey key, KeyUsage usage, CipherPath path = CipherPath.Automatic) =>
        CipherPathSelection.Resolve(path) == CipherPath.Platform
            ? new PlatformAuthenticatorCipher(key, usage)
            : key.Type switch
            {
                EncryptionType.Aes128CtsHmacSha256 => new AcceleratedAesSha2Cipher<uint, Sha256>(key, usage),
                EncryptionType.Aes256CtsHmacSha384 => new AcceleratedAesSha2Cipher<ulong, Sha384>(key, usage),
                _ => new AcceleratedAesSha1Cipher(key, usage),
            };

    /// <param name="message">The confounder (16 random bytes), the plaintext, room for the tag; replaced by the ciphertext.</param>
    /// <exception cref="ObjectDisposedException">The key or this cipher was disposed; the message is spoilt.</exception>
    public void Seal(Span<byte> message)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(message.Length, Overhead);
        SealCore(message);
        IntegrityKey.ThrowIfZeroed();
    }

    public abstract void Dispose();

    private protected abstract void SealCore(Span<byte> message);
}
