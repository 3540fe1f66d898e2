namespace KcdDelegation.Testing.Listening;

/// <summary>An answer and the way it is delivered.</summary>
/// <param name="Answer">The message, without the length that precedes it over TCP.</param>
internal sealed record KdcDelivery(ReadOnlyMemory<byte> Answer)
{
    public DeliveryMode Mode { get; init; }

    /// <summary>The delay before the first byte.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The bytes that are sent before the connection is closed, including the length prefix; over UDP the size of the
    /// datagram.</summary>
    public int Cut { get; init; } = int.MaxValue;

    /// <summary>The value of the length prefix, if it is wrong.</summary>
    public uint? ClaimedLength { get; init; }
}

/// <summary>The ways to deliver an answer.</summary>
internal enum DeliveryMode
{
    /// <summary>Immediately, in one piece.</summary>
    Whole,

    /// <summary>No answer; the connection stays open.</summary>
    Silent,

    /// <summary>No answer; the connection is closed.</summary>
    Close,

    /// <summary>Byte by byte.</summary>
    Drip,
}
