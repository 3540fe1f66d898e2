using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>Closes the connections of clusters that are removed. YARP asks the factory of clients about changed clusters only.</summary>
internal sealed class RemovedClusters(IForwarderHttpClientFactory clients) : IClusterChangeListener
{
    public void OnClusterRemoved(ClusterState cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        (clients as DelegatedClientFactory)?.Retire(cluster.Model.HttpClient);
    }

    public void OnClusterAdded(ClusterState cluster)
    {
    }

    public void OnClusterChanged(ClusterState cluster)
    {
    }
}
