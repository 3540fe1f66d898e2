namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The keys derived from one protocol key so far.</summary>
/// <remarks>A key serves few usages, but many times: a TGT's session key serves every TGS exchange. This is therefore a lock-free list
/// that only grows, which keeps the idle keys of a large cache small. A mutable struct: store it in a field and never copy it.</remarks>
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
            if (Find(newest, usage, purpose) is { } derivedConcurrently)
            {
                secret.Dispose();
                return derivedConcurrently;
            }
            if (Interlocked.CompareExchange(ref _newest, new Entry(usage, purpose, secret, newest), newest) == newest)
                break;
        }
        // Dispose zeroes the protocol key before it walks the list. It either found this entry, or the check below fails.
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
