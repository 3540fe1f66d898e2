using System.Security.Cryptography;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Time;

namespace KcdDelegation.Kerberos.ApExchange;

/// <summary>A replay cache (RFC 4120 §3.2.3): the authenticators of the last minutes, by the hash of their ciphertext. Without the session
/// key the ciphertext cannot be varied. Thread-safe and bounded; tokens are refused when it is full.</summary>
internal sealed class ReplayCache(KdcClock clock)
{
    private const int MaxEntries = 1_000_000;

    private readonly Lock _lock = new();
    private readonly HashSet<UInt128> _seen = [];
    private readonly Queue<(UInt128 Hash, DateTimeOffset Until)> _order = new();

    /// <summary>Adds an authenticator. Returns false if it is already in the cache.</summary>
    /// <exception cref="KerberosException">The cache is full (<see cref="KerberosFailureReason.Overloaded"/>).</exception>
    public bool TryAdd(ReadOnlySpan<byte> authenticator)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(authenticator, digest);
        var hash = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(digest);
        var now = clock.Now;
        lock (_lock)
        {
            while (_order.TryPeek(out var oldest) && oldest.Until < now)
                _seen.Remove(_order.Dequeue().Hash);
            if (_seen.Contains(hash))
                return false;
            if (_seen.Count >= MaxEntries)
                throw Full();
            _seen.Add(hash);
            // An authenticator one skew ahead of the clock stays acceptable until one skew behind it.
            _order.Enqueue((hash, now + (2 * ExchangeContext.AllowedSkew)));
            return true;
        }
    }

    private static KerberosException Full() => new(new KerberosFailure
    {
        Reason = KerberosFailureReason.Overloaded,
        IsTransient = true,
        Detail = $"{MaxEntries} tokens were presented within minutes, so further tokens cannot be checked for replay; try again later",
    });
}
