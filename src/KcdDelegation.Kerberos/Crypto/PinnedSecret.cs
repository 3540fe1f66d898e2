using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Bytes that the collector never moves (so that no copy stays behind) and that are zeroed on <see cref="Dispose"/>, or by
/// the finalizer when nobody can reach them any more. Thread-safe, in this order: read <see cref="Span"/>, compute, call
/// <see cref="ThrowIfZeroed"/>, let the result go.</summary>
internal sealed class PinnedSecret : IDisposable
{
    private readonly byte[] _bytes;
    private volatile bool _zeroed;

    public PinnedSecret(int length) => _bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);

    public PinnedSecret(ReadOnlySpan<byte> bytes)
        : this(bytes.Length) => bytes.CopyTo(_bytes);

    ~PinnedSecret() => CryptographicOperations.ZeroMemory(_bytes);

    public int Length => _bytes.Length;

    /// <exception cref="ObjectDisposedException">The secret was zeroed: an all-zero key must never be used in its place.</exception>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_zeroed, this);
            return _bytes;
        }
    }

    /// <summary>After the last use of <see cref="Span"/> and before its result leaves: proves that another thread did not zero the bytes
    /// meanwhile, and keeps the finalizer away until here.</summary>
    /// <exception cref="ObjectDisposedException">What was computed may have used zeros: throw it away.</exception>
    public void ThrowIfZeroed()
    {
        // The reads of the bytes come before the read of the mark.
        Volatile.ReadBarrier();
        ObjectDisposedException.ThrowIf(_zeroed, this);
    }

    public void Dispose()
    {
        _zeroed = true;
        // The mark is seen before the first zero is.
        Interlocked.MemoryBarrier();
        CryptographicOperations.ZeroMemory(_bytes);
        GC.SuppressFinalize(this);
    }

    public override string ToString() => "(secret)";
}
