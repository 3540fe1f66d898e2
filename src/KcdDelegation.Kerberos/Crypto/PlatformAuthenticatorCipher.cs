namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Authenticators by the platform's cryptography. Its objects are not thread-safe and dear to make, so a few stay ready, each
/// made when one is first needed.</summary>
internal sealed class PlatformAuthenticatorCipher : AuthenticatorCipher
{
    /// <summary>More threads than this at one ticket in the same microsecond make objects for once only.</summary>
    private const int MaxIdle = 16;

    private readonly KerberosKey _key;
    private readonly KeyUsage _usage;
    private readonly PlatformCipherObjects?[] _idle = new PlatformCipherObjects?[Math.Min(Environment.ProcessorCount, MaxIdle)];
    private volatile bool _disposed;

    public PlatformAuthenticatorCipher(KerberosKey key, KeyUsage usage)
        : base(key, usage)
    {
        _key = key;
        _usage = usage;
    }

    public override void Dispose()
    {
        _disposed = true;
        Interlocked.MemoryBarrier();
        DisposeIdle();
    }

    private protected override void SealCore(Span<byte> message)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int home = Thread.GetCurrentProcessorId() % _idle.Length;
        var objects = Take(home) ?? new PlatformCipherObjects(_key, _usage);
        try
        {
            objects.Seal(message);
        }
        catch
        {
            // In the middle of a message: of no use any more.
            objects.Dispose();
            throw;
        }
        Return(objects, home);
    }

    private PlatformCipherObjects? Take(int home)
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            ref var place = ref _idle[(home + i) % _idle.Length];
            if (Volatile.Read(ref place) is not null && Interlocked.Exchange(ref place, null) is { } objects)
                return objects;
        }
        return null;
    }

    private void Return(PlatformCipherObjects objects, int home)
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            if (Interlocked.CompareExchange(ref _idle[(home + i) % _idle.Length], objects, null) is null)
            {
                // Dispose may have passed this place a moment ago.
                if (_disposed)
                    DisposeIdle();
                return;
            }
        }
        objects.Dispose();
    }

    private void DisposeIdle()
    {
        while (Take(home: 0) is { } objects)
            objects.Dispose();
    }
}
