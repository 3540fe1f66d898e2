using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KcdDelegation.Kerberos.ApExchange;

/// <summary>The time of one authenticator (RFC 4120 §5.5.1: ctime and cusec), UTC by the KDC's clock.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AuthenticatorTimestamp(long UnixSeconds, int Microseconds);

/// <summary>Times for authenticators. Some acceptors' replay caches look at client, time and microseconds only, so the pairs are unique
/// per user in the process, over all his tickets, accounts and services. Users are spread over a fixed number of sequences: those that
/// fall on one share its 967,232 stamps a second, and nothing has to be kept or cleaned up per user. Lock-free.</summary>
internal sealed class AuthenticatorTimestamps
{
    /// <summary>From here on an INTEGER of microseconds takes three bytes of DER, so that every authenticator of a ticket has one length.</summary>
    public const int FirstMicrosecond = 32_768;

    public const int PerSecond = 1_000_000 - FirstMicrosecond;

    /// <summary>How far a sequence may run ahead of the clock when more stamps are taken than there are. Acceptors refuse what lies far
    /// ahead.</summary>
    private const long MaxAhead = 2L * PerSecond;

    private const int SequenceCount = 4096;

    /// <summary>Apart by a cache line, so that users on two processors do not slow each other.</summary>
    private const int Stride = 8;

    // Kept per source of time: where there are two (tests), neither holds up the other.
    private static readonly ConditionalWeakTable<TimeProvider, AuthenticatorTimestamps> s_byTimeProvider = [];

    private readonly TimeProvider _timeProvider;
    private readonly long[] _last = new long[SequenceCount * Stride];

    private AuthenticatorTimestamps(TimeProvider timeProvider) => _timeProvider = timeProvider;

    /// <summary>Those of the process.</summary>
    public static AuthenticatorTimestamps Get(TimeProvider timeProvider) => s_byTimeProvider.GetOrAdd(timeProvider, static time => new AuthenticatorTimestamps(time));

    /// <summary>The sequence of a client as acceptors see him: name and realm, whatever the type of the name.</summary>
    public static int GetSequence(string name, string realm) => (HashCode.Combine(name, realm) & (SequenceCount - 1)) * Stride;

    /// <summary>The next stamp of a sequence: now, or the one after the last; when the sequence is as far ahead as it may be, the call waits.</summary>
    /// <param name="sequence">From <see cref="GetSequence"/>.</param>
    /// <param name="offset">Of the KDC's clock from this machine's. Sequences count this machine's time, which all clients share.</param>
    public AuthenticatorTimestamp Next(int sequence, TimeSpan offset)
    {
        ref var last = ref _last[sequence];
        while (true)
        {
            var now = IndexOf(_timeProvider.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks);
            var previous = Volatile.Read(ref last);
            var next = Math.Max(previous + 1, now);
            if (next - now > MaxAhead)
            {
                // Taking stamps leads no further ahead than that: the machine's clock was set back. Requests must not stand still until it
                // has caught up, and stamps must be near now; that some may come again is the price, as with any client.
                if (next - now > MaxAhead + PerSecond)
                    next = now;
                else
                {
                    Thread.Sleep(1);
                    continue;
                }
            }
            if (Interlocked.CompareExchange(ref last, next, previous) == previous)
            {
                next += IndexOf(offset.Ticks);
                return new AuthenticatorTimestamp(next / PerSecond, FirstMicrosecond + (int)(next % PerSecond));
            }
        }
    }

    /// <summary>Microseconds are scaled into the range rather than skipped, so that the machines of a farm do not meet on one value.</summary>
    private static long IndexOf(long ticks)
    {
        var (seconds, rest) = Math.DivRem(ticks, TimeSpan.TicksPerSecond);
        return (seconds * PerSecond) + (rest * PerSecond / TimeSpan.TicksPerSecond);
    }
}
