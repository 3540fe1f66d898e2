using System.Collections.Concurrent;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Exchanges;

namespace KcdDelegation.Testing.Accepting;

/// <summary>RFC 4120 §3.2.3: client, time and microseconds of the authenticators seen within the clock skew, as other acceptors keep
/// them. Thread-safe.</summary>
internal sealed class ReplayCache
{
    private const int SweepAt = 100_000;

    private readonly ConcurrentDictionary<(string Client, long Seconds, int Microseconds), bool> _seen = new();

    /// <summary>Adds an authenticator. Returns false if it was seen before.</summary>
    public bool TryAdd(Authenticator authenticator, DateTimeOffset now)
    {
        if (_seen.Count > SweepAt)
        {
            var oldest = (now - (2 * RealmState.MaxSkew)).ToUnixTimeSeconds();
            foreach (var entry in _seen.Keys.Where(entry => entry.Seconds < oldest))
                _seen.TryRemove(entry, out _);
        }
        var client = $"{authenticator.Client}@{authenticator.ClientRealm}";
        return _seen.TryAdd((client, authenticator.Time.ToUnixTimeSeconds(), authenticator.Microseconds), true);
    }
}
