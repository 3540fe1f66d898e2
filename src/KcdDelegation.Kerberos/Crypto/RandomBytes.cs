using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The random bytes that every authenticator needs (confounder, subkey, sequence number), drawn in advance per thread.</summary>
/// <remarks>The platform's generator takes almost as long for 16 bytes as for 4096. Bytes are returned once and zeroed here.</remarks>
internal sealed class RandomBytes
{
    public const int Capacity = 4096;

    [ThreadStatic]
    private static RandomBytes? t_own;

    private readonly byte[] _drawn = GC.AllocateUninitializedArray<byte>(Capacity, pinned: true);
    private int _used = Capacity;

    /// <summary>Fills both spans in one draw. Thread-safe; allocates once per thread.</summary>
    public static void Fill(Span<byte> first, Span<byte> second)
    {
        if (first.Length + second.Length > Capacity)
        {
            RandomNumberGenerator.Fill(first);
            RandomNumberGenerator.Fill(second);
        }
        else
            (t_own ??= new RandomBytes()).Take(first, second);
    }

    /// <summary>Fills both spans from the bytes drawn in advance. Not thread-safe.</summary>
    /// <param name="first">Together with <paramref name="second"/>, at most <see cref="Capacity"/> bytes.</param>
    /// <param name="second">May be empty.</param>
    public void Take(Span<byte> first, Span<byte> second)
    {
        var count = first.Length + second.Length;
        if (count > Capacity - _used)
        {
            // The remaining bytes are discarded. If the generator fails, they stay marked as used.
            _used = Capacity;
            RandomNumberGenerator.Fill(_drawn);
            _used = 0;
        }
        var fresh = _drawn.AsSpan(_used, count);
        _used += count;
        fresh[..first.Length].CopyTo(first);
        fresh[first.Length..].CopyTo(second);
        // The array outlives this method, so no compiler may remove this.
        fresh.Clear();
    }
}
