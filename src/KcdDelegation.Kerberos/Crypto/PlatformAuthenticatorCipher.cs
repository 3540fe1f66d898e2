namespace KcdDelegation.Kerberos.Crypto;

/// <summary>An authenticator cipher that uses the platform's cryptography.</summary>
/// <remarks>The platform's objects are not thread-safe and are expensive to create. A few are created on demand and reused.</remarks>
internal sealed class PlatformAuthenticatorCipher : AuthenticatorCipher
{
    /// <summary>The number of objects kept. Further concurrent threads create objects for a single use.</summary>
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
        int first = Thread.GetCurrentProcessorId() % _idle.Length;
        var objects = Take(first) ?? new PlatformCipherObjects(_key, _usage);
        try
        {
            objects.Seal(message);
        }
        catch
        {
            // The objects stopped in the middle of a message and cannot be reused.
            objects.Dispose();
            throw;
        }
        Return(objects, first);
    }

    private PlatformCipherObjects? Take(int first)
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            ref var slot = ref _idle[(first + i) % _idle.Length];
            if (Volatile.Read(ref slot) is not null && Interlocked.Exchange(ref slot, null) is { } objects)
                return objects;
        }
        return null;
    }

    private void Return(PlatformCipherObjects objects, int first)
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            if (Interlocked.CompareExchange(ref _idle[(first + i) % _idle.Length], objects, null) is null)
            {
                // Dispose may have passed this slot already.
                if (_disposed)
                    DisposeIdle();
                return;
            }
        }
        objects.Dispose();
    }

    private void DisposeIdle()
    {
        while (Take(first: 0) is { } objects)
            objects.Dispose();
    }
}
