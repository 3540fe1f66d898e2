namespace KcdDelegation.Testing.Listening;

/// <summary>How an answer travels.</summary>
/// <param name="Answer">The message, without TCP's length before it.</param>
internal sealed record KdcDelivery(ReadOnlyMemory<byte> Answer)
{
    public DeliveryManner Manner { get; init; }

    /// <summary>Before the first byte.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Bytes of the TCP stream, its length prefix among them, before the connection is closed; of a datagram, its size.</summary>
    public int Cut { get; init; } = int.MaxValue;

    /// <summary>What the length prefix says where it lies.</summary>
    public uint? ClaimedLength { get; init; }
}

/// <summary>Ways to answer.</summary>
internal enum DeliveryManner
{
    /// <summary>At once, in one piece.</summary>
    Whole,

    /// <summary>Not at all, while the connection stays open.</summary>
    Silent,

    /// <summary>The connection is closed instead.</summary>
    Close,

    /// <summary>Byte by byte.</summary>
    Drip,
}
