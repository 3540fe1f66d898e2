namespace KcdDelegation.Kerberos.Crypto;

/// <summary>A protocol key (RFC 3961 §3): its type, its bytes in pinned memory, and the keys derived from it for each usage. Thread-safe.
/// Zeroed on <see cref="Dispose"/> or when nobody can reach it any more; prints nothing of itself. A key that is disposed while an
/// operation runs makes that operation throw <see cref="ObjectDisposedException"/>.</summary>
internal sealed class KerberosKey : IDisposable
{
    private readonly PinnedSecret _secret;
    private DerivedKeys _derived;

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

    /// <summary>To be used at once, and followed by <see cref="ThrowIfDisposed"/> where the result leaves this process.</summary>
    /// <exception cref="ObjectDisposedException">The key was disposed.</exception>
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

    /// <summary>Kc, Ke or Ki of a usage (RFC 3961 §5.3, RFC 8009 §5): derived once, and zeroed together with this key.</summary>
    public PinnedSecret Derive(KeyUsage usage, KeyPurpose purpose) => _derived.GetOrAdd(this, usage, purpose);

    /// <summary>After the last use of <see cref="Bytes"/>: they were not zeroed meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">What was computed may have used zeros: throw it away.</exception>
    public void ThrowIfDisposed() => _secret.ThrowIfZeroed();

    public void Dispose()
    {
        _secret.Dispose();
        _derived.Dispose();
    }

    public override string ToString() => $"{Type} key";
}
