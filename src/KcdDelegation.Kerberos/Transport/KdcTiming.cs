namespace KcdDelegation.Kerberos.Transport;

/// <summary>The time-outs and intervals of the transport. The cancellation token bounds the request as a whole.</summary>
internal sealed record KdcTiming
{
    /// <summary>Gets the time without an answer after which a hedged request is sent to the next KDC as well.</summary>
    public TimeSpan HedgeDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Gets the time-out of one attempt, from the name look-up to the complete reply, if another KDC is left.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Gets the time-out of one attempt if no other KDC is left.</summary>
    public TimeSpan LastAttemptTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets the time without an answer over UDP after which TCP is used.</summary>
    public TimeSpan DatagramTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the time after which a failed KDC, which is asked last, gets a trial request in the background.</summary>
    public TimeSpan RetryFailedAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets the resolver's time-out for a host whose previous addresses are known.</summary>
    /// <remarks>After a failure the resolver is asked again after <see cref="RetryFailedAfter"/>.</remarks>
    public TimeSpan ResolverTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the time after which the next address of the same host is tried as well (RFC 8305 §5).</summary>
    public TimeSpan NextAddressDelay { get; init; } = TimeSpan.FromMilliseconds(250);
}
