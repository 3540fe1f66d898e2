namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The keys that one protocol key was asked for so far. A key serves few usages but many times (a TGT's session key serves every
/// TGS exchange), so this is a list that only ever grows, without a lock: most keys of a big cache rest, and take no more memory than
/// they must. A mutable struct: a field of the key, never copied.</summary>
internal struct DerivedKeys
{
    private Entry? _newest;

    /// <exception cref="ObjectDisposedException">The protocol key was disposed.</exception>
    public PinnedSecret GetOrAdd(KerberosKey key, KeyUsage usage, KeyPurpose purpose)
    {
        if (Find(Volatile.Read(ref _newest), usage, purpose) is { } known)
            return known;
        var secret = key.Profile.Derive(key, usage, purpose);
        while (true)
        {
            var newest = Volatile.Read(ref _newest);
            if (Find(newest, usage, purpose) is { } derivedMeanwhile)
            {
                secret.Dispose();
                return derivedMeanwhile;
            }
            if (Interlocked.CompareExchange(ref _newest, new Entry(usage, purpose, secret, newest), newest) == newest)
                break;
        }
        // Dispose zeroes the protocol key before it goes through the list: either it found this one, or the key says so here.
        try
        {
            key.ThrowIfDisposed();
            return secret;
        }
        catch (ObjectDisposedException)
        {
            secret.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        for (var entry = Volatile.Read(ref _newest); entry is not null; entry = entry.Older)
            entry.Secret.Dispose();
    }

    private static PinnedSecret? Find(Entry? newest, KeyUsage usage, KeyPurpose purpose)
    {
        for (var entry = newest; entry is not null; entry = entry.Older)
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
