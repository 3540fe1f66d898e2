using System.Runtime.CompilerServices;
using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Http;
using KcdDelegation.Yarp.Diagnosis;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>Decides where a request of a delegated cluster may go, by the cluster's state at the moment of the request.
/// Thread-safe.</summary>
/// <remarks>A request that has waited in the host's middleware can see a reload. A destination that was removed, or a cluster whose
/// application changed, no longer gets the user's ticket.</remarks>
internal sealed class ClusterTargets(IServiceProvider services, DelegationClient client)
{
    private readonly ConditionalWeakTable<DestinationModel, Uri> _addresses = [];

    // YARP's state depends on the transforms, which depend on this class.
    private readonly Lazy<IProxyStateLookup> _proxy = new(services.GetRequiredService<IProxyStateLookup>);

    /// <summary>Permits the request to go to its destination as its user.</summary>
    /// <exception cref="KcdException">The destination is no longer one of the cluster, the cluster has another application now, or the
    /// host has marked the request of a user as anonymous.</exception>
    public void Permit(HttpRequestMessage request, ForwardedRequest forwarded, string application)
    {
        var feature = forwarded.Context.Features.Get<IReverseProxyFeature>();
        var cluster = feature?.Cluster.Config.ClusterId;
        if (cluster is null || feature!.ProxiedDestination is not { } destination
            || !_proxy.Value.TryGetCluster(cluster, out var state)
            || !string.Equals(
                ClusterMetadata.GetApplication(state.Model.Config.Metadata), application, StringComparison.OrdinalIgnoreCase)
            || !state.Destinations.TryGetValue(destination.DestinationId, out var current)
            || !string.Equals(current.Model.Config.Address, forwarded.DestinationPrefix, StringComparison.Ordinal))
        {
            throw Refuse(request.GetCaller() ?? forwarded.Caller, application, ForwardingErrors.DestinationRemoved(application, cluster));
        }
        if (forwarded.Caller is not null && request.IsAnonymous())
            throw Refuse(forwarded.Caller, application, ForwardingErrors.UserMarkedAnonymous(application));
        request.AllowDestination(
            _addresses.GetValue(current.Model, static model => ParseAddress(model.Config.Address)),
            FindAllowedHost(request, current.Model, feature.Route),
            forwarded.Caller);
    }

    /// <summary>Refuses a request whose route has no transforms of this package.</summary>
    /// <exception cref="KcdException">Always.</exception>
    public void RefuseUnprepared(HttpRequestMessage request, string cluster, string application) =>
        throw Refuse(request.GetCaller(), application, ForwardingErrors.RouteNotDelegated(application, cluster));

    private static Uri ParseAddress(string text)
    {
        var address = new Uri(text);
        KcdHttpRequestMessageExtensions.ThrowIfNotAddress(address);
        return address;
    }

    private KcdException Refuse(ClaimsPrincipal? caller, string application, KcdException refusal)
    {
        Log.Refused(((IDelegationSource)client).Audit, application, caller, refusal);
        return refusal;
    }

    /// <summary>Returns the request's <c>Host</c> if the destination or the route names it. Otherwise the application's settings
    /// decide.</summary>
    private static string? FindAllowedHost(HttpRequestMessage request, DestinationModel destination, RouteModel route)
    {
        if (request.Headers.Host is not { } host)
            return null;
        if (string.Equals(host, destination.Config.Host, StringComparison.OrdinalIgnoreCase))
            return host;
        foreach (var own in route.Config.Match.Hosts ?? [])
        {
            if (string.Equals(host, own, StringComparison.OrdinalIgnoreCase))
                return host;
        }
        return null;
    }
}
