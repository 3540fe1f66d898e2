namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The keys that one protocol key was asked for so far. A key serves few usages but many times (a TGT's session key serves every
/// TGS exchange), so this is a list that is read without a lock and only ever grows.</summary>
internal sealed class DerivedKeys : IDisposable
{
    private readonly Lock _growing = new();
    private volatile Entry? _newest;

    /// <exception cref="ObjectDisposedException">The protocol key was disposed.</exception>
    public PinnedSecret GetOrAdd(KerberosKey key, KeyUsage usage, KeyPurpose purpose)
    {
        if (Find(usage, purpose) is { } known)
            return known;
        lock (_growing)
        {
            if (Find(usage, purpose) is { } derivedMeanwhile)
                return derivedMeanwhile;
            // Dispose zeroes the protocol key before it takes the lock, so what is added here is either true or found by it.
            var secret = key.Profile.Derive(key, usage, purpose);
            _newest = new Entry(usage, purpose, secret, _newest);
            return secret;
        }
    }

    public void Dispose()
    {
        lock (_growing)
        {
            for (var entry = _newest; entry is not null; entry = entry.Older)
                entry.Secret.Dispose();
        }
    }

    private PinnedSecret? Find(KeyUsage usage, KeyPurpose purpose)
    {
        for (var entry = _newest; entry is not null; entry = entry.Older)
        {
            if (entry.Usage == usage && entry.Purpose == purpose)
                return entry.Secret;
        }
        return null;
    }

    private sealed class Entry(KeyUsage usage, KeyPurpose purpose, PinnedSecret secret, Entry? older)
    {
        public KeyUsage Usage { get; } = usage;
        public KeyPurpose Purpose { get; } = purpose;
        public PinnedSecret Secret { get; } = secret;
        public Entry? Older { get; } = older;
    }
}
