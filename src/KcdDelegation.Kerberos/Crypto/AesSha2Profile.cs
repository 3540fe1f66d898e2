using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>aes128-cts-hmac-sha256-128 and aes256-cts-hmac-sha384-192 (RFC 8009).</summary>
/// <remarks>The tag covers the ciphertext, so nothing is decrypted before it is verified.</remarks>
internal sealed class AesSha2Profile(EncryptionType type) : EncryptionProfile
{
    public override EncryptionType Type => type;

    public override int KeyLength => IsAes128 ? 16 : 32;

    public override ChecksumType ChecksumType => IsAes128 ? ChecksumType.HmacSha256Aes128 : ChecksumType.HmacSha384Aes256;

    /// <summary>RFC 8009 §5: half the length of the hash.</summary>
    public override int ChecksumLength => IsAes128 ? 16 : 24;

    public override HashAlgorithmName Hash => IsAes128 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384;

    public override TagCoverage TagCovers => TagCoverage.Ciphertext;

    /// <summary>RFC 8009 §4: "the default is 00 00 80 00".</summary>
    public override int DefaultIterations => 32768;

    private bool IsAes128 => type == EncryptionType.Aes128CtsHmacSha256;

    private int HashLength => IsAes128 ? HMACSHA256.HashSizeInBytes : HMACSHA384.HashSizeInBytes;

    /// <summary>The "enctype-name" of RFC 8009 §4, which precedes the salt.</summary>
    private ReadOnlySpan<byte> Name => IsAes128 ? "aes128-cts-hmac-sha256-128"u8 : "aes256-cts-hmac-sha384-192"u8;

    /// <summary>Derives Kc, Ke or Ki. Ke has the length of the protocol key, Kc and Ki have the length of the tag (RFC 8009 §5).</summary>
    public override PinnedSecret Derive(KerberosKey key, KeyUsage usage, KeyPurpose purpose)
    {
        Span<byte> label = stackalloc byte[5];
        BinaryPrimitives.WriteInt32BigEndian(label, (int)usage);
        label[4] = (byte)purpose;
        var derived = new PinnedSecret(purpose == KeyPurpose.Encryption ? KeyLength : ChecksumLength);
        DeriveKey(key.Bytes, label, derived.Span);
        key.ThrowIfDisposed();
        return derived;
    }

    /// <summary>Encrypts and authenticates a message in place (RFC 8009 §5).</summary>
    /// <remarks>C = E(Ke, N | plaintext, IV), H = HMAC(Ki, IV | C), ciphertext = C | H[1..h].</remarks>
    public override void Seal(KerberosKey key, KeyUsage usage, Span<byte> message)
    {
        var encryptionKey = key.Derive(usage, KeyPurpose.Encryption);
        var integrityKey = key.Derive(usage, KeyPurpose.Integrity);
        var text = message[..^ChecksumLength];
        AesCts.Encrypt(encryptionKey, text);
        AuthenticateCiphertext(integrityKey, text, message[^ChecksumLength..]);
        encryptionKey.ThrowIfZeroed();
        integrityKey.ThrowIfZeroed();
    }

    protected override bool Open(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> ciphertext, Span<byte> text)
    {
        var encryptionKey = key.Derive(usage, KeyPurpose.Encryption);
        var integrityKey = key.Derive(usage, KeyPurpose.Integrity);
        Span<byte> tag = stackalloc byte[ChecksumLength];
        AuthenticateCiphertext(integrityKey, ciphertext[..^ChecksumLength], tag);
        bool genuine = CryptographicOperations.FixedTimeEquals(tag, ciphertext[^ChecksumLength..]);
        integrityKey.ThrowIfZeroed();
        if (!genuine)
            return false;
        AesCts.Decrypt(encryptionKey, ciphertext[..^ChecksumLength], text);
        encryptionKey.ThrowIfZeroed();
        return true;
    }

    /// <summary>Computes the checksum, which covers only the data (RFC 8009 §6).</summary>
    protected override void Authenticate(PinnedSecret key, ReadOnlySpan<byte> data, Span<byte> tag) =>
        Authenticate(key.Span, [], data, tag);

    /// <summary>Derives the key of a password (RFC 8009 §4).</summary>
    /// <remarks>tkey = random-to-key(PBKDF2(passphrase, enctype-name | 0x00 | salt, iter_count, keylength)), base-key =
    /// random-to-key(KDF-HMAC-SHA2(tkey, "kerberos", keylength)).</remarks>
    protected override KerberosKey DeriveFromPassword(PinnedSecret password, ReadOnlySpan<byte> salt, int iterations)
    {
        Span<byte> intermediate = stackalloc byte[KeyLength];
        Span<byte> bytes = stackalloc byte[KeyLength];
        byte[] namedSalt = [.. Name, 0, .. salt];
        Rfc2898DeriveBytes.Pbkdf2(password.Span, namedSalt, intermediate, iterations, Hash);
        DeriveKey(intermediate, "kerberos"u8, bytes);
        var key = new KerberosKey(type, bytes);
        CryptographicOperations.ZeroMemory(intermediate);
        CryptographicOperations.ZeroMemory(bytes);
        return key;
    }

    /// <summary>Derives a key by KDF-HMAC-SHA2 (RFC 8009 §3).</summary>
    /// <remarks>KDF-HMAC-SHA2(key, label, k) = k-truncate(HMAC(key, 00 00 00 01 | label | 00 | k)), k in bits.</remarks>
    private void DeriveKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> label, Span<byte> derived)
    {
        Span<byte> input = stackalloc byte[4 + label.Length + 1 + 4];
        BinaryPrimitives.WriteInt32BigEndian(input, 1);
        label.CopyTo(input[4..]);
        input[4 + label.Length] = 0;
        BinaryPrimitives.WriteInt32BigEndian(input[^4..], derived.Length * 8);
        Authenticate(key, [], input, derived);
    }

    /// <summary>Computes the tag, which also covers the cipher state (all zeros in Kerberos messages).</summary>
    private void AuthenticateCiphertext(PinnedSecret key, ReadOnlySpan<byte> ciphertext, Span<byte> tag) =>
        Authenticate(key.Span, AesCts.ZeroVector, ciphertext, tag);

    private void Authenticate(ReadOnlySpan<byte> key, ReadOnlySpan<byte> head, ReadOnlySpan<byte> data, Span<byte> tag)
    {
        Span<byte> hash = stackalloc byte[HashLength];
        using (var hmac = IncrementalHash.CreateHMAC(Hash, key))
        {
            hmac.AppendData(head);
            hmac.AppendData(data);
            hmac.GetHashAndReset(hash);
        }
        hash[..tag.Length].CopyTo(tag);
        CryptographicOperations.ZeroMemory(hash);
    }
}
