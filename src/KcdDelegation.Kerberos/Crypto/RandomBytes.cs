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

    /// <summary>Thread-safe; allocates once per thread.</summary>
    public static void Fill(Span<byte> destination)
    {
        if (destination.Length > Capacity)
            RandomNumberGenerator.Fill(destination);
        else
            (t_own ??= new RandomBytes()).Take(destination);
    }

    /// <summary>Not thread-safe.</summary>
    /// <param name="destination"><see cref="Capacity"/> bytes at most.</param>
    public void Take(Span<byte> destination)
    {
        if (destination.Length > Capacity - _used)
        {
            // The rest is not worth keeping. Should the generator fail, it stays used up.
            _used = Capacity;
            RandomNumberGenerator.Fill(_drawn);
            _used = 0;
        }

        var fresh = _drawn.AsSpan(_used, destination.Length);
        _used += destination.Length;
        fresh.CopyTo(destination);
        CryptographicOperations.ZeroMemory(fresh);
    }
}
