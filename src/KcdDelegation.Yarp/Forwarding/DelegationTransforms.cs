using KcdDelegation.Yarp.Clusters;
using KcdDelegation.Yarp.Cookies;
using KcdDelegation.Yarp.Diagnosis;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Transforms.Builder;

namespace KcdDelegation.Yarp.Forwarding;

/// <summary>Adds the transforms of delegation to the routes of delegated clusters, and validates those clusters.</summary>
/// <remarks>YARP does not apply a configuration with an error: at the start the host fails, after a change the previous configuration
/// stays.</remarks>
internal sealed class DelegationTransforms(DelegationClient client, GatewayCookies cookies) : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var cluster = context.Cluster;
        // Browsers send the affinity cookie of one cluster to all others too.
        if (cluster.SessionAffinity is { Enabled: true, AffinityKeyName: { Length: > 0 } affinity })
            cookies.AddAffinity(affinity);
        foreach (var key in ClusterMetadata.GetUnknownKeys(cluster))
            context.Errors.Add(ForwardingErrors.UnknownMetadata(cluster.ClusterId, key));
        if (ClusterMetadata.GetApplication(cluster.Metadata) is not { } application)
            return;
        if (context.Services.GetRequiredService<IForwarderHttpClientFactory>() is not DelegatedClientFactory)
            context.Errors.Add(ForwardingErrors.FactoryReplaced(cluster.ClusterId, nameof(IForwarderHttpClientFactory)));
        if (cluster.HealthCheck?.Active?.Enabled == true
            && context.Services.GetRequiredService<IProbingRequestFactory>() is not AnonymousProbes)
            context.Errors.Add(ForwardingErrors.FactoryReplaced(cluster.ClusterId, nameof(IProbingRequestFactory)));
        foreach (var error in ClusterValidation.FindErrors(cluster, application, client))
            context.Errors.Add(error);
    }

    public void Apply(TransformBuilderContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (ClusterMetadata.GetApplication(context.Cluster?.Metadata) is null)
            return;
        context.RequestTransforms.Add(new DelegationRequestTransform());
        context.ResponseTransforms.Add(new DelegationResponseTransform());
    }
}
