using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>RFC 3961 §3: an encryption type with the checksum that belongs to it. Stateless and thread-safe.</summary>
internal abstract class EncryptionProfile
{
    public const int ConfounderLength = 16;

    private static readonly EncryptionProfile Aes128Sha1 = new AesSha1Profile(EncryptionType.Aes128CtsHmacSha1);
    private static readonly EncryptionProfile Aes256Sha1 = new AesSha1Profile(EncryptionType.Aes256CtsHmacSha1);
    private static readonly EncryptionProfile Aes128Sha2 = new AesSha2Profile(EncryptionType.Aes128CtsHmacSha256);
    private static readonly EncryptionProfile Aes256Sha2 = new AesSha2Profile(EncryptionType.Aes256CtsHmacSha384);

    public abstract EncryptionType Type { get; }

    /// <summary>Bytes of a protocol key.</summary>
    public abstract int KeyLength { get; }

    /// <summary>The mandatory checksum of the type.</summary>
    public abstract ChecksumType ChecksumType { get; }

    /// <summary>Bytes of the checksum, and of the tag behind a ciphertext.</summary>
    public abstract int ChecksumLength { get; }

    /// <summary>The hash of the type's HMAC and PBKDF2.</summary>
    public abstract HashAlgorithmName Hash { get; }

    public abstract TagCoverage TagCovers { get; }

    /// <summary>PBKDF2 rounds when the KDC does not say (RFC 3962 §4, RFC 8009 §4). A KDC may ask for more, never for less.</summary>
    public abstract int DefaultIterations { get; }

    /// <summary>Bytes by which a ciphertext is longer than its plaintext.</summary>
    public int Overhead => ConfounderLength + ChecksumLength;

    /// <exception cref="KerberosException">The type is not implemented (<see cref="KerberosFailureReason.EncryptionTypeRefused"/>).</exception>
    public static EncryptionProfile Get(EncryptionType type) =>
        TryGet(type, out var profile) ? profile : throw UnsupportedEncryptionType.Refuse(type);

    public static bool TryGet(EncryptionType type, [NotNullWhen(true)] out EncryptionProfile? profile)
    {
        profile = type switch
        {
            EncryptionType.Aes128CtsHmacSha1 => Aes128Sha1,
            EncryptionType.Aes256CtsHmacSha1 => Aes256Sha1,
            EncryptionType.Aes128CtsHmacSha256 => Aes128Sha2,
            EncryptionType.Aes256CtsHmacSha384 => Aes256Sha2,
            _ => null,
        };
        return profile is not null;
    }

    /// <summary>string-to-key. The number of rounds is the caller's business: limits on what a KDC may ask are not applied here.</summary>
    public KerberosKey DeriveFromPassword(ReadOnlySpan<char> password, string salt, int iterations)
    {
        // A generated password need not be valid UTF-16. Active Directory derives an account's key with each lone surrogate replaced by
        // U+FFFD, and so does this encoding.
        using var passwordBytes = new PinnedSecret(Encoding.UTF8.GetByteCount(password));
        Encoding.UTF8.GetBytes(password, passwordBytes.Span);
        return DeriveFromPassword(passwordBytes, Encoding.UTF8.GetBytes(salt), iterations);
    }

    public byte[] Encrypt(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> plaintext)
    {
        var message = new byte[plaintext.Length + Overhead];
        RandomNumberGenerator.Fill(message.AsSpan(0, ConfounderLength));
        plaintext.CopyTo(message.AsSpan(ConfounderLength));
        Seal(key, usage, message);
        return message;
    }

    public byte[] Decrypt(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> ciphertext)
    {
        if (ciphertext.Length < Overhead)
            throw KerberosException.Malformed("EncryptedData", $"has a cipher of {ciphertext.Length} bytes, {Type} takes {Overhead} at least");
        return Open(key, usage, ciphertext)
            ?? throw KerberosException.Rejected($"EncryptedData fails its integrity check: it was not made with this {Type} key for key usage {(int)usage} ({usage}), or was changed on its way");
    }

    public byte[] Checksum(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> data)
    {
        var checksum = new byte[ChecksumLength];
        var checksumKey = key.Derive(usage, KeyPurpose.Checksum);
        Authenticate(checksumKey, data, checksum);
        checksumKey.ThrowIfZeroed();
        return checksum;
    }

    public bool VerifyChecksum(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> data, ReadOnlySpan<byte> checksum) =>
        CryptographicOperations.FixedTimeEquals(Checksum(key, usage, data), checksum);

    public KerberosKey CreateRandomKey()
    {
        Span<byte> bytes = stackalloc byte[KeyLength];
        RandomNumberGenerator.Fill(bytes);
        var key = new KerberosKey(Type, bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return key;
    }

    /// <summary>Kc, Ke or Ki (RFC 3961 §5.3, RFC 8009 §5). Callers take them from <see cref="KerberosKey.Derive"/>, which keeps them.</summary>
    public abstract PinnedSecret Derive(KerberosKey key, KeyUsage usage, KeyPurpose purpose);

    /// <summary>"encrypt" with a given confounder.</summary>
    /// <param name="key">The protocol key.</param>
    /// <param name="usage">What it is used for.</param>
    /// <param name="message">confounder | plaintext | room for the tag; replaced by the ciphertext.</param>
    public abstract void Seal(KerberosKey key, KeyUsage usage, Span<byte> message);

    /// <summary>"decrypt".</summary>
    /// <param name="key">The protocol key.</param>
    /// <param name="usage">What it is used for.</param>
    /// <param name="ciphertext"><see cref="Overhead"/> bytes at least.</param>
    /// <returns>The plaintext, or null if the tag is wrong.</returns>
    protected abstract byte[]? Open(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> ciphertext);

    /// <summary>The type's HMAC, cut to <see cref="ChecksumLength"/>.</summary>
    protected abstract void Authenticate(PinnedSecret key, ReadOnlySpan<byte> data, Span<byte> tag);

    protected abstract KerberosKey DeriveFromPassword(PinnedSecret password, ReadOnlySpan<byte> salt, int iterations);
}

/// <summary>What the tag behind a ciphertext is computed of.</summary>
internal enum TagCoverage
{
    /// <summary>confounder | plaintext (RFC 3961 §5.3).</summary>
    Plaintext,

    /// <summary>cipher state | ciphertext (RFC 8009 §5).</summary>
    Ciphertext,
}
