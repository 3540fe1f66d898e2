using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>aes128-cts-hmac-sha1-96 and aes256-cts-hmac-sha1-96 (RFC 3962): the simplified profile of RFC 3961 §5.3 with AES.</summary>
/// <remarks>The tag covers the plaintext, so a message is decrypted before it can be verified.</remarks>
internal sealed class AesSha1Profile(EncryptionType type) : EncryptionProfile
{
    public override EncryptionType Type => type;

    public override int KeyLength => type == EncryptionType.Aes128CtsHmacSha1 ? 16 : 32;

    public override ChecksumType ChecksumType =>
        type == EncryptionType.Aes128CtsHmacSha1 ? ChecksumType.HmacSha1Aes128 : ChecksumType.HmacSha1Aes256;

    /// <summary>RFC 3962 §6: "HMAC-SHA1 [...] truncated to 96 bits".</summary>
    public override int ChecksumLength => 12;

    public override HashAlgorithmName Hash => HashAlgorithmName.SHA1;

    public override TagCoverage TagCovers => TagCoverage.Plaintext;

    /// <summary>RFC 3962 §4: "the default is 00 00 10 00".</summary>
    public override int DefaultIterations => 4096;

    public override PinnedSecret Derive(KerberosKey key, KeyUsage usage, KeyPurpose purpose)
    {
        Span<byte> constant = stackalloc byte[5];
        BinaryPrimitives.WriteInt32BigEndian(constant, (int)usage);
        constant[4] = (byte)purpose;
        var derived = new PinnedSecret(KeyLength);
        DeriveKey(key.Bytes, constant, derived.Span);
        key.ThrowIfDisposed();
        return derived;
    }

    /// <summary>Encrypts and authenticates a message in place (RFC 3961 §5.3).</summary>
    /// <remarks>C1 = E(Ke, conf | plaintext), H1 = HMAC(Ki, conf | plaintext), ciphertext = C1 | H1[1..h].</remarks>
    public override void Seal(KerberosKey key, KeyUsage usage, Span<byte> message)
    {
        var encryptionKey = key.Derive(usage, KeyPurpose.Encryption);
        var integrityKey = key.Derive(usage, KeyPurpose.Integrity);
        var text = message[..^ChecksumLength];
        Authenticate(integrityKey, text, message[^ChecksumLength..]);
        AesCts.Encrypt(encryptionKey, text);
        encryptionKey.ThrowIfZeroed();
        integrityKey.ThrowIfZeroed();
    }

    protected override bool Open(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> ciphertext, Span<byte> text)
    {
        var encryptionKey = key.Derive(usage, KeyPurpose.Encryption);
        var integrityKey = key.Derive(usage, KeyPurpose.Integrity);
        AesCts.Decrypt(encryptionKey, ciphertext[..^ChecksumLength], text);
        Span<byte> tag = stackalloc byte[ChecksumLength];
        Authenticate(integrityKey, text, tag);
        bool genuine = CryptographicOperations.FixedTimeEquals(tag, ciphertext[^ChecksumLength..]);
        encryptionKey.ThrowIfZeroed();
        integrityKey.ThrowIfZeroed();
        return genuine;
    }

    protected override void Authenticate(PinnedSecret key, ReadOnlySpan<byte> data, Span<byte> tag)
    {
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(key.Span, data, hash);
        hash[..ChecksumLength].CopyTo(tag);
        CryptographicOperations.ZeroMemory(hash);
    }

    /// <summary>Derives the key of a password (RFC 3962 §4).</summary>
    /// <remarks>tkey = random-to-key(PBKDF2(passphrase, salt, iter_count, keylength)), key = DK(tkey, "kerberos").</remarks>
    protected override KerberosKey DeriveFromPassword(PinnedSecret password, ReadOnlySpan<byte> salt, int iterations)
    {
        Span<byte> intermediate = stackalloc byte[KeyLength];
        Span<byte> bytes = stackalloc byte[KeyLength];
        Rfc2898DeriveBytes.Pbkdf2(password.Span, salt, intermediate, iterations, Hash);
        DeriveKey(intermediate, "kerberos"u8, bytes);
        var key = new KerberosKey(type, bytes);
        CryptographicOperations.ZeroMemory(intermediate);
        CryptographicOperations.ZeroMemory(bytes);
        return key;
    }

    /// <summary>Derives a key: DK(key, constant) = K1 | K2, with K1 = E(key, n-fold(constant)) and K2 = E(key, K1) (RFC 3961
    /// §5.1).</summary>
    /// <remarks>This is the CBC encryption of n-fold(constant) | 0 with an all-zero initial vector. random-to-key of AES is the identity
    /// (RFC 3962 §6).</remarks>
    private static void DeriveKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> constant, Span<byte> derived)
    {
        Span<byte> chain = stackalloc byte[derived.Length];
        NFold.Fold(constant, chain[..AesCts.BlockLength]);
        chain[AesCts.BlockLength..].Clear();
        using var aes = Aes.Create();
        aes.SetKey(key);
        aes.EncryptCbc(chain, AesCts.ZeroVector, derived, PaddingMode.None);
    }
}
