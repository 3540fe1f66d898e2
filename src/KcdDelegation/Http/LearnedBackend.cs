namespace KcdDelegation.Http;

/// <summary>The properties of an application's backend that responses to any of its users have shown. Thread-safe.</summary>
internal sealed class LearnedBackend(TimeProvider time)
{
    private int _acceptedLength;

    public LearnedFormat Format { get; } = new();

    public LearnedServiceKey ServiceKey { get; } = new(time);

    /// <summary>The limit on hints about a 403 without a challenge.</summary>
    public IntervalLimit ForbiddenHints { get; } = new(time, TimeSpan.FromHours(1));

    /// <summary>Determines whether the backend has read an <c>Authorization</c> value of at least this length before.</summary>
    public bool HasAcceptedLength(int length) => length <= Volatile.Read(ref _acceptedLength);

    /// <summary>Stores the length of a value that the backend has read.</summary>
    public void RecordAcceptedLength(int length)
    {
        for (var known = Volatile.Read(ref _acceptedLength); length > known;)
            known = Interlocked.CompareExchange(ref _acceptedLength, length, known);
    }
}
