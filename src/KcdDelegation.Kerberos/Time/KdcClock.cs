namespace KcdDelegation.Kerberos.Time;

/// <summary>The time as the KDC has it: the machine's clock and an offset that was learnt from an authenticated reply (protocol of
/// RFC 4120 §3.1.3: the client may correct its clock). All times are UTC. Thread-safe.</summary>
internal sealed class KdcClock(TimeProvider timeProvider)
{
    /// <summary>More than a clock that is kept right by small steps moves against the machine's own count.</summary>
    private static readonly TimeSpan LargestDrift = TimeSpan.FromMinutes(1);

    private volatile LearntOffset? _learnt;
    private long _lastStamp;

    public TimeProvider TimeProvider { get; } = timeProvider;

    public TimeSpan Offset => _learnt?.Value ?? TimeSpan.Zero;

    public DateTimeOffset Now => TimeProvider.GetUtcNow() + Offset;

    /// <summary>Only ever called with what an authenticated reply says.</summary>
    public void Adopt(TimeSpan offset) => _learnt = offset == TimeSpan.Zero ? null : new LearntOffset(offset, TimeProvider.GetUtcNow(), TimeProvider.GetTimestamp());

    /// <summary>An offset belongs to the clock that it was learnt with. Once that was set (by NTP, late, or after a pause of the machine) the
    /// offset would be the error that it was there to correct.</summary>
    /// <returns>The offset that is forgotten, or null.</returns>
    public TimeSpan? ForgetOffsetIfClockWasSet()
    {
        if (_learnt is not { } learnt)
            return null;
        var drift = TimeProvider.GetUtcNow() - learnt.LocalTime - TimeProvider.GetElapsedTime(learnt.Timestamp);
        if (drift.Duration() <= LargestDrift)
            return null;
        // What was learnt meanwhile stays.
        return Interlocked.CompareExchange(ref _learnt, null, learnt) == learnt ? learnt.Value : null;
    }

    /// <summary>A time in microseconds that no other caller gets: KDCs keep a replay cache of (client, time, microseconds).</summary>
    public DateTimeOffset UniqueNow(TimeSpan offset)
    {
        var now = (TimeProvider.GetUtcNow() + offset).UtcTicks / TimeSpan.TicksPerMicrosecond;
        long last, next;
        do
        {
            last = Volatile.Read(ref _lastStamp);
            // An offset that was taken back must not hold the stamps in the future: the order of stamps does not matter, only their uniqueness near now.
            next = last >= now && last - now < 1_000_000 ? last + 1 : now;
        }
        while (Interlocked.CompareExchange(ref _lastStamp, next, last) != last);
        return new DateTimeOffset(next * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
    }

    /// <param name="Value">KDC's time less local time.</param>
    /// <param name="LocalTime">UTC, when it was learnt.</param>
    /// <param name="Timestamp">Of the time provider, when it was learnt.</param>
    private sealed record LearntOffset(TimeSpan Value, DateTimeOffset LocalTime, long Timestamp);
}

internal static class KerberosTimeParts
{
    /// <summary>RFC 4120 §5.2.3: KerberosTime has whole seconds; the rest goes into a field of microseconds.</summary>
    public static (DateTimeOffset Seconds, int Microseconds) Split(this DateTimeOffset time)
    {
        var fraction = time.UtcTicks % TimeSpan.TicksPerSecond;
        return (new DateTimeOffset(time.UtcTicks - fraction, TimeSpan.Zero), (int)(fraction / TimeSpan.TicksPerMicrosecond));
    }
}
