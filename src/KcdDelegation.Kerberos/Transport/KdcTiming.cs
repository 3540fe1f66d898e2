namespace KcdDelegation.Kerberos.Transport;

/// <summary>How long the transport is patient. The budget of a whole request is its cancellation token's.</summary>
internal sealed record KdcTiming
{
    /// <summary>A hedged request asks the next KDC after this time without an answer, so that a frozen KDC costs a fraction of a second.</summary>
    public TimeSpan HedgeDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Of one attempt at one KDC, from the look-up of its name to the whole reply, where another KDC is left to try.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The same, where none is left.</summary>
    public TimeSpan LastAttemptTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A datagram that is not answered in this time is taken for lost, and TCP is used.</summary>
    public TimeSpan DatagramTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A KDC that failed is left for the last, and asked again (beside a request, not for it) after this time.</summary>
    public TimeSpan RetryFailedAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A resolver that has not answered in this time counts as failed, if the host's addresses are known from before. The next
    /// use of the name asks it again after <see cref="RetryFailedAfter"/>.</summary>
    public TimeSpan ResolverPatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A host with several addresses: the next one is tried after this time (RFC 8305 §5).</summary>
    public TimeSpan NextAddressDelay { get; init; } = TimeSpan.FromMilliseconds(250);
}
