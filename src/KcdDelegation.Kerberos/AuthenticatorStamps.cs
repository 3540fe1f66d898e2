namespace KcdDelegation.Kerberos;

/// <summary>Times for authenticators. Some acceptors' replay caches look at client, time and microseconds only, so the pairs are
/// unique per user in the process, over all his tickets. Users are spread over a fixed number of sequences: those that fall on
/// one share its 967,232 stamps a second, and nothing has to be kept or cleaned up per user. Lock-free.</summary>
internal static class AuthenticatorStamps
{
    /// <summary>From here on an INTEGER of microseconds takes three bytes of DER, so that every authenticator of a ticket has one length.</summary>
    public const int FirstMicrosecond = 32_768;

    public const int PerSecond = 1_000_000 - FirstMicrosecond;

    private const int SequenceCount = 4096;

    /// <summary>Apart by a cache line, so that users on two processors do not slow each other.</summary>
    private const int Stride = 8;

    private static readonly long[] Sequences = new long[SequenceCount * Stride];

    public static int SequenceOf(KerberosPrincipal user) => (user.GetHashCode() & (SequenceCount - 1)) * Stride;

    /// <summary>The next stamp of a sequence: near now, or up to two seconds ahead of it when more are taken than there are; beyond
    /// that the call waits, since acceptors refuse what lies too far ahead.</summary>
    public static (long UnixSeconds, int Microseconds) Next(int sequence, KdcClock clock)
    {
        ref var last = ref Sequences[sequence];
        while (true)
        {
            var now = IndexOf(clock.Now);
            var previous = Volatile.Read(ref last);
            var next = Math.Max(previous + 1, now);
            if (next - now > 2L * PerSecond)
            {
                Thread.Sleep(1);
                continue;
            }
            if (Interlocked.CompareExchange(ref last, next, previous) == previous)
                return (next / PerSecond, FirstMicrosecond + (int)(next % PerSecond));
        }
    }

    /// <summary>Microseconds are scaled into the range rather than skipped, so that the machines of a farm do not meet on one value.</summary>
    private static long IndexOf(DateTimeOffset time)
    {
        var ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        var (seconds, rest) = Math.DivRem(ticks, TimeSpan.TicksPerSecond);
        return (seconds * PerSecond) + (rest * PerSecond / TimeSpan.TicksPerSecond);
    }
}
