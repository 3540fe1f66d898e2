using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>Marks the health probes of delegated clusters as requests without a user.</summary>
internal sealed class AnonymousProbes(IProbingRequestFactory inner) : IProbingRequestFactory
{
    public HttpRequestMessage CreateRequest(ClusterModel cluster, DestinationModel destination)
    {
        var request = inner.CreateRequest(cluster, destination);
        if (ClusterMetadata.GetApplication(cluster.Config.Metadata) is null)
            return request;
        request.SetAnonymous();
        var config = destination.Config;
        request.AllowOrigin(new Uri(string.IsNullOrEmpty(config.Health) ? config.Address : config.Health), config.Host);
        return request;
    }
}
