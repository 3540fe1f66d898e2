using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Random bytes for what every authenticator needs anew (confounder, subkey, sequence number). The platform's generator takes
/// almost as long for 16 bytes as for 4096, so each thread draws ahead. Bytes are handed out once and zeroed here.</summary>
internal sealed class RandomBytes
{
    public const int Capacity = 4096;

    [ThreadStatic]
    private static RandomBytes? t_own;

    private readonly byte[] _drawn = GC.AllocateUninitializedArray<byte>(Capacity, pinned: true);
    private int _used = Capacity;

    /// <summary>Fills two places in one draw. Thread-safe; allocates once per thread.</summary>
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

    /// <summary>Not thread-safe.</summary>
    /// <param name="first">With <paramref name="second"/>, <see cref="Capacity"/> bytes at most.</param>
    /// <param name="second">Of any length too.</param>
    public void Take(Span<byte> first, Span<byte> second)
    {
        var count = first.Length + second.Length;
        if (count > Capacity - _used)
        {
            // The rest is not worth keeping. Should the generator fail, it stays used up.
            _used = Capacity;
            RandomNumberGenerator.Fill(_drawn);
            _used = 0;
        }
        var fresh = _drawn.AsSpan(_used, count);
        _used += count;
        fresh[..first.Length].CopyTo(first);
        fresh[first.Length..].CopyTo(second);
        // Memory that lives on, so no compiler may leave this out.
        fresh.Clear();
    }
}
