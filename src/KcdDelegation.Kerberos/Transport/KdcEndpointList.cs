namespace KcdDelegation.Kerberos.Transport;

/// <summary>Creates the lists of KDCs that are asked.</summary>
internal static class KdcEndpointList
{
    /// <summary>The number of KDCs of one realm that are used. It bounds the connections and the time that one request can cost.</summary>
    public const int MaxPerRealm = 64;

    /// <summary>Returns the first KDCs without duplicates.</summary>
    public static IReadOnlyList<KdcEndpoint> Create(IEnumerable<KdcEndpoint> kdcs) => kdcs.Distinct().Take(MaxPerRealm).ToList();
}
