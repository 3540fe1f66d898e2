using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>A pinned byte array that is zeroed by <see cref="Dispose"/>, or by the finalizer when it is no longer reachable.</summary>
/// <remarks>The garbage collector never moves it, so no copy remains in memory. Thread-safe in this order: read <see cref="Span"/>,
/// compute, call <see cref="ThrowIfZeroed"/>, use the result.</remarks>
internal sealed class PinnedSecret : IDisposable
{
    private readonly byte[] _bytes;
    private volatile bool _zeroed;

    public PinnedSecret(int length) => _bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);

    public PinnedSecret(ReadOnlySpan<byte> bytes)
        : this(bytes.Length) => bytes.CopyTo(_bytes);

    ~PinnedSecret() => CryptographicOperations.ZeroMemory(_bytes);

    public int Length => _bytes.Length;

    /// <exception cref="ObjectDisposedException">The secret was zeroed. An all-zero key must never be used instead.</exception>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_zeroed, this);
            return _bytes;
        }
    }

    /// <summary>Verifies after the last use of <see cref="Span"/> that no other thread zeroed the bytes in the meantime.</summary>
    /// <remarks>Call it before the result is used. It also keeps the object reachable until this point, so the finalizer cannot run
    /// earlier.</remarks>
    /// <exception cref="ObjectDisposedException">The computation may have used zeros. Discard its result.</exception>
    public void ThrowIfZeroed()
    {
        // Orders the reads of the bytes before the read of the flag.
        Volatile.ReadBarrier();
        ObjectDisposedException.ThrowIf(_zeroed, this);
    }

    public void Dispose()
    {
        _zeroed = true;
        // Makes the flag visible before the first zero.
        Interlocked.MemoryBarrier();
        CryptographicOperations.ZeroMemory(_bytes);
        GC.SuppressFinalize(this);
    }

    public override string ToString() => "(secret)";
}
