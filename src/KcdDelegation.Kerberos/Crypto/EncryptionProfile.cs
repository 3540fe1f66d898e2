using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>RFC 3961 §3: an encryption type with the checksum that belongs to it. Stateless and thread-safe.</summary>
internal abstract class EncryptionProfile
{
    public const int ConfounderLength = 16;

    public abstract EncryptionType Type { get; }

    /// <summary>Bytes of a protocol key.</summary>
    public abstract int KeyLength { get; }

    /// <summary>The mandatory checksum of the type.</summary>
    public abstract ChecksumType ChecksumType { get; }

    /// <summary>Bytes of the checksum, and of the tag behind a ciphertext.</summary>
    public abstract int ChecksumLength { get; }

    /// <summary>PBKDF2 rounds when the KDC does not say (RFC 3962 §4, RFC 8009 §4). A KDC may ask for more, never for less.</summary>
    public abstract int DefaultIterations { get; }

    /// <exception cref="KerberosException">The type is not implemented (<see cref="KerberosFailureReason.EncryptionTypeRefused"/>).</exception>
    public static EncryptionProfile Get(EncryptionType type) => throw new NotSupportedException();

    public static bool TryGet(EncryptionType type, [NotNullWhen(true)] out EncryptionProfile? profile) => throw new NotSupportedException();

    /// <summary>string-to-key. The number of rounds is the caller's business: limits on what a KDC may ask are not applied here.</summary>
    public abstract KerberosKey DeriveFromPassword(ReadOnlySpan<char> password, string salt, int iterations);

    public abstract byte[] Encrypt(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> plaintext);

    public abstract byte[] Decrypt(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> ciphertext);

    public abstract byte[] Checksum(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> data);

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
}
