namespace KcdDelegation.Kerberos.Crypto;

/// <summary>A protocol key (RFC 3961 §3): its type and its bytes in pinned memory. Thread-safe. Zeroed on <see cref="Dispose"/> or when
/// nobody can reach it any more; prints nothing of itself.</summary>
internal sealed class KerberosKey : IDisposable
{
    private readonly PinnedSecret _secret;

    /// <exception cref="KerberosException">The type is not implemented, or the length is not that of the type.</exception>
    public KerberosKey(EncryptionType type, ReadOnlySpan<byte> bytes)
    {
        Profile = EncryptionProfile.Get(type);
        if (bytes.Length != Profile.KeyLength)
            throw KerberosException.Malformed("EncryptionKey", $"has {bytes.Length} bytes, {type} takes {Profile.KeyLength}");
        _secret = new PinnedSecret(bytes);
    }

    public EncryptionProfile Profile { get; }

    public EncryptionType Type => Profile.Type;

    public ReadOnlySpan<byte> Bytes => _secret.Span;

    public static KerberosKey CreateRandom(EncryptionType type) => EncryptionProfile.Get(type).CreateRandomKey();

    /// <summary>confounder | plaintext, encrypted and authenticated (RFC 3961 §3 "encrypt").</summary>
    public byte[] Encrypt(KeyUsage usage, ReadOnlySpan<byte> plaintext) => Profile.Encrypt(this, usage, plaintext);

    /// <summary>The plaintext, in an array of its own that the caller zeroes if it is secret.</summary>
    /// <exception cref="KerberosException">Too short, or the integrity check failed.</exception>
    public byte[] Decrypt(KeyUsage usage, ReadOnlySpan<byte> ciphertext) => Profile.Decrypt(this, usage, ciphertext);

    /// <summary>The type's mandatory checksum (RFC 3961 §3 "get_mic").</summary>
    public byte[] Checksum(KeyUsage usage, ReadOnlySpan<byte> data) => Profile.Checksum(this, usage, data);

    /// <summary>Compares in fixed time.</summary>
    public bool VerifyChecksum(KeyUsage usage, ReadOnlySpan<byte> data, ReadOnlySpan<byte> checksum) =>
        Profile.VerifyChecksum(this, usage, data, checksum);

    public void Dispose() => _secret.Dispose();

    public override string ToString() => $"{Type} key";
}
