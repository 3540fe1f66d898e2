using System.Security.Cryptography;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Time;

namespace KcdDelegation.Kerberos.ApExchange;

/// <summary>RFC 4120 §3.2.3: authenticators seen within the allowable clock skew; one that comes again is a replay. Keyed by the hash of
/// the encrypted authenticator, which no one can vary without the session key. Thread-safe, bounded, and full means refused.</summary>
internal sealed class ReplayCache(KdcClock clock)
{
    private const int MaxEntries = 1_000_000;

    private readonly Lock _lock = new();
    private readonly HashSet<UInt128> _seen = [];
    private readonly Queue<(UInt128 Hash, DateTimeOffset Until)> _order = new();

    /// <summary>False: seen before.</summary>
    /// <exception cref="KerberosException">There is no room to remember one more.</exception>
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
                throw new KerberosException(new KerberosFailure { Reason = KerberosFailureReason.Overloaded, IsTransient = true, Detail = $"{MaxEntries} tokens were presented within minutes; no more can be told from replays" });
            _seen.Add(hash);
            // An authenticator up to one skew ahead of the clock stays acceptable until one skew behind it.
            _order.Enqueue((hash, now + (2 * ExchangeContext.AllowedSkew)));
            return true;
        }
    }
}
