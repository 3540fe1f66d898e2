using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KcdDelegation.Kerberos.ApExchange;

/// <summary>The time of one authenticator (RFC 4120 §5.5.1: ctime and cusec), UTC by the KDC's clock.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AuthenticatorTimestamp(long UnixSeconds, int Microseconds);

/// <summary>A source of unique authenticator times per user and process, across tickets, accounts and services. Lock-free.</summary>
/// <remarks>Replay caches of some acceptors compare client, time and microseconds only. Users are distributed over a fixed number of
/// sequences, so nothing is stored per user. Users of one sequence share its 967,232 timestamps a second.</remarks>
internal sealed class AuthenticatorTimestamps
{
    /// <summary>The smallest microsecond value: from here on its INTEGER takes three bytes of DER, so authenticators have one
    /// length.</summary>
    public const int FirstMicrosecond = 32_768;

    public const int PerSecond = 1_000_000 - FirstMicrosecond;

    /// <summary>The largest distance of a sequence from the clock when requests take more timestamps than there are. Acceptors refuse
    /// times that are far ahead.</summary>
    private const long MaxAhead = 2L * PerSecond;

    private const int SequenceCount = 4096;

    /// <summary>The distance between two sequences: one cache line, so that users on two processors do not slow each other.</summary>
    private const int Stride = 8;

    // One instance per time provider: in tests with two providers, neither delays the other.
    private static readonly ConditionalWeakTable<TimeProvider, AuthenticatorTimestamps> s_byTimeProvider = [];

    private readonly TimeProvider _timeProvider;
    private readonly long[] _last = new long[SequenceCount * Stride];

    private AuthenticatorTimestamps(TimeProvider timeProvider) => _timeProvider = timeProvider;

    /// <summary>Returns the instance that the process uses for the time provider.</summary>
    public static AuthenticatorTimestamps Get(TimeProvider timeProvider) =>
        s_byTimeProvider.GetOrAdd(timeProvider, static time => new AuthenticatorTimestamps(time));

    /// <summary>Returns the sequence of a client. Acceptors see name and realm but not the name type.</summary>
    public static int GetSequence(string name, string realm) => (HashCode.Combine(name, realm) & (SequenceCount - 1)) * Stride;

    /// <summary>Returns the next timestamp of a sequence: the current time, or the one after the last. Waits while the sequence is at its
    /// largest distance from the clock.</summary>
    /// <param name="sequence">A result of <see cref="GetSequence"/>.</param>
    /// <param name="offset">The KDC's clock minus this machine's. Sequences count this machine's time, which all clients share.</param>
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
                // Requests alone do not lead further ahead than that, so the machine's clock was set back. Timestamps restart at the
                // current time: requests must not stop until the clock has caught up. Some timestamps may repeat, as with any client.
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

    /// <summary>Converts ticks to timestamps. Microseconds are scaled rather than skipped, so that values of a farm's machines stay
    /// spread.</summary>
    private static long IndexOf(long ticks)
    {
        var (seconds, rest) = Math.DivRem(ticks, TimeSpan.TicksPerSecond);
        return (seconds * PerSecond) + (rest * PerSecond / TimeSpan.TicksPerSecond);
    }
}
