namespace KcdDelegation.Kerberos.Transport;

/// <summary>A place where the KDCs of realms are written. Thread-safe.</summary>
internal interface IKdcLocator
{
    /// <summary>The KDCs of a realm in the order in which they are to be asked; empty: this place knows none.</summary>
    /// <exception cref="KerberosException">The place could not be asked (<see cref="KerberosFailureReason.KdcNotFound"/>, transient).</exception>
    ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken);
}
