using KcdDelegation.Yarp.Diagnosis;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>A hosted service that fails the start of the host if an application has neither an address nor a cluster.</summary>
/// <remarks>It runs after the start of the server. A host whose pipeline is built at its start has no clusters before.</remarks>
internal sealed class AddressCheckAtStart(DelegationClient client, IProxyStateLookup proxy) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var named = proxy.GetClusters().Select(static cluster => ClusterMetadata.GetApplication(cluster.Model.Config.Metadata))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var missing = client.Applications.Where(application => application.InternalUrl is null && !named.Contains(application.Name))
            .Select(static application => application.Name).Order(StringComparer.Ordinal).ToList();
        return missing.Count == 0 ? Task.CompletedTask : throw ForwardingErrors.NoAddress(missing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
