namespace KcdDelegation.Kerberos;

/// <summary>The time as the KDC has it: the machine's clock and an offset that was learnt from an authenticated reply (protocol of
/// RFC 4120 §3.1.3: the client may correct its clock). All times are UTC. Thread-safe.</summary>
internal sealed class KdcClock(TimeProvider timeProvider)
{
    private long _offsetTicks;
    private long _lastStamp;

    public TimeProvider TimeProvider { get; } = timeProvider;

    public TimeSpan Offset => new(Volatile.Read(ref _offsetTicks));

    public DateTimeOffset Now => TimeProvider.GetUtcNow() + Offset;

    /// <summary>Only ever called with what an authenticated reply says.</summary>
    public void Adopt(TimeSpan offset) => Volatile.Write(ref _offsetTicks, offset.Ticks);

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
