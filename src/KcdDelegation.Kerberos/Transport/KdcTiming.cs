namespace KcdDelegation.Kerberos.Transport;

/// <summary>The limits, time-outs and intervals of the transport. The cancellation token bounds the request as a whole.</summary>
internal sealed record KdcTiming
{
    /// <summary>Gets the number of concurrent connections to one KDC. krb5kdc served bursts fastest with about this number.</summary>
    public int MaxConnectionsPerKdc { get; init; } = 8;

    /// <summary>Gets the time without an answer after which a hedged request is sent to further KDCs as well.</summary>
    public TimeSpan HedgeDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Gets the time after which a silent connection gets a second one to the same KDC, and no longer counts as in use.</summary>
    public TimeSpan SilenceInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the time-out of one attempt of a request that is sent to one KDC at a time, if another KDC is left.</summary>
    /// <remarks>It covers the time from the name look-up to the complete reply.</remarks>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Gets the time-out of one attempt if no other KDC is left to start with.</summary>
    public TimeSpan LastAttemptTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets the time without an answer after which a datagram is sent again.</summary>
    public TimeSpan DatagramResendInterval { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Gets the time without an answer over UDP after which TCP is used.</summary>
    public TimeSpan DatagramTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the time for which all KDCs are asked again after they refused or closed the connection, as a KDC that restarts
    /// does.</summary>
    public TimeSpan RestartTimeout { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Gets the time after which a failed KDC, which is asked last, gets a trial request in the background.</summary>
    public TimeSpan RetryFailedAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets the resolver's time-out for a host whose previous addresses are known.</summary>
    /// <remarks>After a failure the resolver is asked again after <see cref="RetryFailedAfter"/>.</remarks>
    public TimeSpan ResolverTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the time after which further addresses of the same host are tried as well (RFC 8305 §5).</summary>
    public TimeSpan NextAddressDelay { get; init; } = TimeSpan.FromMilliseconds(250);
}
