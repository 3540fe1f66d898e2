namespace KcdDelegation.Yarp.Clusters;

/// <summary>Permits each request of a cluster to go to its destination, after all transforms.</summary>
/// <remarks>A request that no transform of this package has seen has no user either, and <see cref="KcdHandler"/> refuses it.</remarks>
internal sealed class ClusterTargetHandler(ClusterTargets targets, string application) : DelegatingHandler
{
    private static readonly HttpRequestOptionsKey<ForwardedRequest> s_forwarded = new("KcdDelegation.Yarp.Forwarded");

    public static void SetForwarded(HttpRequestMessage request, ForwardedRequest forwarded) =>
        request.Options.Set(s_forwarded, forwarded);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(s_forwarded, out var forwarded))
            targets.Permit(request, forwarded, application);
        return base.SendAsync(request, cancellationToken);
    }
}
