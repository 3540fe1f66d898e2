namespace KcdDelegation.Http;

/// <summary>A limit of one action per interval. Thread-safe.</summary>
internal sealed class IntervalLimit(TimeProvider time, TimeSpan interval)
{
    // Zero before the first action. Timestamps start at the start of the machine.
    private long _last;

    /// <summary>Returns true if the last action began at least one interval ago, and begins an action then.</summary>
    public bool TryBegin()
    {
        var last = Volatile.Read(ref _last);
        if (last != 0 && time.GetElapsedTime(last) < interval)
            return false;
        return Interlocked.CompareExchange(ref _last, Math.Max(1, time.GetTimestamp()), last) == last;
    }
}
