using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>An encryption type with its mandatory checksum (RFC 3961 §3). Stateless and thread-safe.</summary>
internal abstract class EncryptionProfile
{
    public const int ConfounderLength = 16;

    private static readonly EncryptionProfile Aes128Sha1 = new AesSha1Profile(EncryptionType.Aes128CtsHmacSha1);
    private static readonly EncryptionProfile Aes256Sha1 = new AesSha1Profile(EncryptionType.Aes256CtsHmacSha1);
    private static readonly EncryptionProfile Aes128Sha2 = new AesSha2Profile(EncryptionType.Aes128CtsHmacSha256);
    private static readonly EncryptionProfile Aes256Sha2 = new AesSha2Profile(EncryptionType.Aes256CtsHmacSha384);

    public abstract EncryptionType Type { get; }

    /// <summary>The length of a protocol key in bytes.</summary>
    public abstract int KeyLength { get; }

    /// <summary>The type's mandatory checksum.</summary>
    public abstract ChecksumType ChecksumType { get; }

    /// <summary>The length in bytes of the checksum, and of the tag after a ciphertext.</summary>
    public abstract int ChecksumLength { get; }

    /// <summary>The hash used by the type's HMAC and PBKDF2.</summary>
    public abstract HashAlgorithmName Hash { get; }

    public abstract TagCoverage TagCovers { get; }

    /// <summary>The number of PBKDF2 rounds when the KDC does not specify one (RFC 3962 §4, RFC 8009 §4). A KDC may ask for more, never
    /// for fewer.</summary>
    public abstract int DefaultIterations { get; }

    /// <summary>The number of bytes by which a ciphertext exceeds its plaintext.</summary>
    public int Overhead => ConfounderLength + ChecksumLength;

    /// <exception cref="KerberosException">The type is not implemented
    /// (<see cref="KerberosFailureReason.EncryptionTypeRefused"/>).</exception>
    public static EncryptionProfile Get(EncryptionType type) =>
        TryGet(type, out var profile) ? profile : throw UnsupportedEncryptionType.CreateException(type);

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

    /// <summary>Derives the key of a password (RFC 3961 §3 "string-to-key"). The caller limits the number of rounds that a KDC may ask
    /// for.</summary>
    public KerberosKey DeriveFromPassword(ReadOnlySpan<char> password, string salt, int iterations)
    {
        // A generated password need not be valid UTF-16. Active Directory replaces each lone surrogate with U+FFFD before it derives the
        // key. This encoding does the same.
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
            throw KerberosException.Malformed(
                "EncryptedData", $"has a cipher of {ciphertext.Length} bytes; {Type} requires at least {Overhead}");
        var text = new byte[ciphertext.Length - ChecksumLength];
        try
        {
            Decrypt(key, usage, ciphertext, text);
            return text[ConfounderLength..];
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    /// <summary>Decrypts and verifies a ciphertext of at least <see cref="Overhead"/> bytes into memory of the caller.</summary>
    /// <param name="key">The protocol key.</param>
    /// <param name="usage">The key usage.</param>
    /// <param name="ciphertext">The ciphertext with its tag.</param>
    /// <param name="text">Receives confounder and plaintext: the length of the ciphertext without the tag. The caller zeroes it.</param>
    /// <exception cref="KerberosException">The integrity check failed. The text must not be used.</exception>
    public void Decrypt(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> ciphertext, Span<byte> text)
    {
        if (Open(key, usage, ciphertext, text))
            return;
        CryptographicOperations.ZeroMemory(text);
        throw KerberosException.Rejected(
            $"the integrity check of EncryptedData failed: it was encrypted with another key than this {Type} key, "
            + $"for another key usage than {(int)usage} ({usage}), or was changed in transit");
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

    /// <summary>Derives Kc, Ke or Ki (RFC 3961 §5.3, RFC 8009 §5). Callers use <see cref="KerberosKey.Derive"/>, which keeps the
    /// result.</summary>
    public abstract PinnedSecret Derive(KerberosKey key, KeyUsage usage, KeyPurpose purpose);

    /// <summary>Encrypts a message in place with the given confounder (RFC 3961 §3 "encrypt").</summary>
    /// <param name="key">The protocol key.</param>
    /// <param name="usage">The key usage.</param>
    /// <param name="message">confounder | plaintext | space for the tag. Replaced by the ciphertext.</param>
    public abstract void Seal(KerberosKey key, KeyUsage usage, Span<byte> message);

    /// <summary>Decrypts and verifies a ciphertext (RFC 3961 §3 "decrypt").</summary>
    /// <param name="key">The protocol key.</param>
    /// <param name="usage">The key usage.</param>
    /// <param name="ciphertext">At least <see cref="Overhead"/> bytes.</param>
    /// <param name="text">Receives confounder and plaintext.</param>
    /// <returns>Whether the tag matches.</returns>
    protected abstract bool Open(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> ciphertext, Span<byte> text);

    /// <summary>Computes the type's HMAC, truncated to <see cref="ChecksumLength"/>.</summary>
    protected abstract void Authenticate(PinnedSecret key, ReadOnlySpan<byte> data, Span<byte> tag);

    protected abstract KerberosKey DeriveFromPassword(PinnedSecret password, ReadOnlySpan<byte> salt, int iterations);
}

/// <summary>The input of the tag after a ciphertext.</summary>
internal enum TagCoverage
{
    /// <summary>confounder | plaintext (RFC 3961 §5.3).</summary>
    Plaintext,

    /// <summary>cipher state | ciphertext (RFC 8009 §5).</summary>
    Ciphertext,
}
