namespace KcdDelegation.Kerberos.Transport;

/// <summary>A source of KDC addresses for a realm. Thread-safe.</summary>
internal interface IKdcLocator
{
    /// <summary>Returns the KDCs of a realm in the order in which to ask them, or an empty list if this source knows none.</summary>
    /// <exception cref="KerberosException">The source failed (<see cref="KerberosFailureReason.KdcNotFound"/>, transient).</exception>
    ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken);
}
