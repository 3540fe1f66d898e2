namespace KcdDelegation.Kerberos.Time;

/// <summary>The KDC's time: the machine's clock and an offset from an authenticated reply (RFC 4120 §3.1.3 lets clients correct their
/// clock). All times are UTC. Thread-safe.</summary>
internal sealed class KdcClock(TimeProvider timeProvider)
{
    /// <summary>The largest drift that is not a sign of a clock that was set. NTP corrects a clock by small steps.</summary>
    private static readonly TimeSpan LargestDrift = TimeSpan.FromMinutes(1);

    private volatile LearnedOffset? _learned;
    private long _lastTimestamp;
    private long _measuredTicks = long.MinValue;

    public TimeProvider TimeProvider { get; } = timeProvider;

    /// <summary>Gets the KDC's time minus the local time at the last log-on; null before the first one. It is for display only.</summary>
    public TimeSpan? MeasuredOffset =>
        Volatile.Read(ref _measuredTicks) is var ticks && ticks != long.MinValue ? new TimeSpan(ticks) : null;

    public TimeSpan Offset => _learned?.Value ?? TimeSpan.Zero;

    /// <summary>Gets a count of seconds that does not change when the machine's clock is set. Never zero.</summary>
    public uint MonotonicSeconds => 1 + (uint)TimeProvider.GetElapsedTime(0).TotalSeconds;

    public DateTimeOffset Now => TimeProvider.GetUtcNow() + Offset;

    /// <summary>Stores an offset. Call it only with a value from an authenticated reply.</summary>
    public void Adopt(TimeSpan offset) => _learned =
        offset == TimeSpan.Zero ? null : new LearnedOffset(offset, TimeProvider.GetUtcNow(), TimeProvider.GetTimestamp());

    /// <summary>Stores the difference to the KDC's time of an authenticated reply that has just arrived, in whole seconds.</summary>
    public void Measure(DateTimeOffset kdcTime) => Volatile.Write(
        ref _measuredTicks, TimeSpan.FromSeconds(Math.Round((kdcTime - TimeProvider.GetUtcNow()).TotalSeconds)).Ticks);

    /// <summary>Discards the offset if the machine's clock was set after it was learned. It would then be an error itself.</summary>
    /// <returns>The discarded offset, or null.</returns>
    public TimeSpan? ForgetOffsetIfClockWasSet()
    {
        if (_learned is not { } learned)
            return null;
        var drift = TimeProvider.GetUtcNow() - learned.LocalTime - TimeProvider.GetElapsedTime(learned.Timestamp);
        if (drift.Duration() <= LargestDrift)
            return null;
        // A newer offset stays.
        return Interlocked.CompareExchange(ref _learned, null, learned) == learned ? learned.Value : null;
    }

    /// <summary>Returns a time in microseconds that no other caller gets: KDCs keep a replay cache of client, time and
    /// microseconds.</summary>
    public DateTimeOffset UniqueNow(TimeSpan offset)
    {
        var now = (TimeProvider.GetUtcNow() + offset).UtcTicks / TimeSpan.TicksPerMicrosecond;
        long last, next;
        do
        {
            last = Volatile.Read(ref _lastTimestamp);
            // A discarded offset must not hold later timestamps in the future. Their order does not matter, only their uniqueness near now.
            next = last >= now && last - now < 1_000_000 ? last + 1 : now;
        }
        while (Interlocked.CompareExchange(ref _lastTimestamp, next, last) != last);
        return new DateTimeOffset(next * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
    }

    /// <param name="Value">The KDC's time minus the local time.</param>
    /// <param name="LocalTime">The local time at which it was learned, in UTC.</param>
    /// <param name="Timestamp">The time provider's timestamp at which it was learned.</param>
    private sealed record LearnedOffset(TimeSpan Value, DateTimeOffset LocalTime, long Timestamp);
}

internal static class KerberosTimeParts
{
    /// <summary>Splits a time into whole seconds and microseconds (RFC 4120 §5.2.3: KerberosTime has no fraction).</summary>
    public static (DateTimeOffset Seconds, int Microseconds) Split(this DateTimeOffset time)
    {
        var fraction = time.UtcTicks % TimeSpan.TicksPerSecond;
        return (new DateTimeOffset(time.UtcTicks - fraction, TimeSpan.Zero), (int)(fraction / TimeSpan.TicksPerMicrosecond));
    }
}
