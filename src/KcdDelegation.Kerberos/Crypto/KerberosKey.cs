namespace KcdDelegation.Kerberos.Crypto;

/// <summary>A protocol key (RFC 3961 §3) in pinned memory, with the keys derived from it for each usage. Thread-safe.</summary>
/// <remarks>The key is zeroed by <see cref="Dispose"/>, or by the finalizer when it is no longer reachable. <see cref="ToString"/> prints
/// no key material. An operation that runs while the key is disposed throws <see cref="ObjectDisposedException"/>.</remarks>
internal sealed class KerberosKey : IDisposable
{
    private readonly PinnedSecret _secret;
    private DerivedKeys _derived;

    /// <exception cref="KerberosException">The type is not implemented, or the length is wrong for the type.</exception>
    public KerberosKey(EncryptionType type, ReadOnlySpan<byte> bytes)
    {
        Profile = EncryptionProfile.Get(type);
        if (bytes.Length != Profile.KeyLength)
            throw KerberosException.Malformed("EncryptionKey", $"has {bytes.Length} bytes; {type} requires {Profile.KeyLength}");
        _secret = new PinnedSecret(bytes);
    }

    public EncryptionProfile Profile { get; }

    public EncryptionType Type => Profile.Type;

    /// <summary>The key's bytes, for immediate use. Call <see cref="ThrowIfDisposed"/> before the result leaves this process.</summary>
    /// <exception cref="ObjectDisposedException">The key was disposed.</exception>
    public ReadOnlySpan<byte> Bytes => _secret.Span;

    public static KerberosKey CreateRandom(EncryptionType type) => EncryptionProfile.Get(type).CreateRandomKey();

    /// <summary>Encrypts and authenticates confounder | plaintext (RFC 3961 §3 "encrypt").</summary>
    public byte[] Encrypt(KeyUsage usage, ReadOnlySpan<byte> plaintext) => Profile.Encrypt(this, usage, plaintext);

    /// <summary>Returns the plaintext in a new array, which the caller zeroes if it is secret.</summary>
    /// <exception cref="KerberosException">The ciphertext is too short, or the integrity check failed.</exception>
    public byte[] Decrypt(KeyUsage usage, ReadOnlySpan<byte> ciphertext) => Profile.Decrypt(this, usage, ciphertext);

    /// <summary>Computes the type's mandatory checksum (RFC 3961 §3 "get_mic").</summary>
    public byte[] Checksum(KeyUsage usage, ReadOnlySpan<byte> data) => Profile.Checksum(this, usage, data);

    /// <summary>Verifies the type's mandatory checksum in constant time.</summary>
    public bool VerifyChecksum(KeyUsage usage, ReadOnlySpan<byte> data, ReadOnlySpan<byte> checksum) =>
        Profile.VerifyChecksum(this, usage, data, checksum);

    /// <summary>Returns Kc, Ke or Ki of a usage (RFC 3961 §5.3, RFC 8009 §5). Derived once, and zeroed together with this key.</summary>
    public PinnedSecret Derive(KeyUsage usage, KeyPurpose purpose) => _derived.GetOrAdd(this, usage, purpose);

    /// <summary>Verifies after the last use of <see cref="Bytes"/> that the key was not zeroed in the meantime.</summary>
    /// <exception cref="ObjectDisposedException">The computation may have used zeros. Discard its result.</exception>
    public void ThrowIfDisposed() => _secret.ThrowIfZeroed();

    public void Dispose()
    {
        _secret.Dispose();
        _derived.Dispose();
    }

    public override string ToString() => $"{Type} key";
}
