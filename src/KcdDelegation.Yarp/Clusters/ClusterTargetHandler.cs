namespace KcdDelegation.Yarp.Clusters;

/// <summary>Permits each request of a cluster to go to its destination, after all transforms.</summary>
internal sealed class ClusterTargetHandler(ClusterTargets targets, string cluster, string application) : DelegatingHandler
{
    private static readonly HttpRequestOptionsKey<ForwardedRequest> s_forwarded = new("KcdDelegation.Yarp.Forwarded");

    public static void SetForwarded(HttpRequestMessage request, ForwardedRequest forwarded) =>
        request.Options.Set(s_forwarded, forwarded);

    public static ForwardedRequest? FindForwarded(HttpRequestMessage request) =>
        request.Options.TryGetValue(s_forwarded, out var forwarded) ? forwarded : null;

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (FindForwarded(request) is { } forwarded)
            targets.Permit(request, forwarded, application);
        else if (!request.IsAnonymous())
            // No transform of this package has seen the request: its route was chosen before the cluster was delegated, or the host has
            // assigned it to another cluster.
            targets.RefuseUnprepared(request, cluster, application);
        return base.SendAsync(request, cancellationToken);
    }
}
