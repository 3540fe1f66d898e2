using Yarp.ReverseProxy.Configuration;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>The metadata of a cluster that this package reads.</summary>
internal static class ClusterMetadata
{
    /// <summary>The key whose value is the name of an application in <c>Kcd:Applications</c>.</summary>
    public const string Application = "KcdApplication";

    private const string Prefix = "Kcd";

    /// <summary>Gets the name of the cluster's application; null for a cluster without delegation.</summary>
    public static string? GetApplication(IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null)
            return null;
        if (metadata.TryGetValue(Application, out var application))
            return application;
        // Configuration from code may have a dictionary that distinguishes case. A key that is nearly right must not end delegation.
        foreach (var (key, value) in metadata)
        {
            if (string.Equals(key, Application, StringComparison.OrdinalIgnoreCase))
                return value;
        }
        return null;
    }

    /// <summary>Returns the keys that look like settings of this package and are none.</summary>
    public static IEnumerable<string> GetUnknownKeys(ClusterConfig cluster) => (cluster.Metadata?.Keys ?? []).Where(static key =>
        key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
        && !string.Equals(key, Application, StringComparison.OrdinalIgnoreCase));
}
