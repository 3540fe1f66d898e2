using KcdDelegation.Yarp.Clusters;
using Yarp.ReverseProxy.Transforms;

namespace KcdDelegation.Yarp.Forwarding;

/// <summary>Sets the user of a request of a delegated cluster.</summary>
internal sealed class DelegationRequestTransform : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // Without a user, KcdHandler refuses the request.
        var user = context.HttpContext.User is { Identity.IsAuthenticated: true } authenticated ? authenticated : null;
        ClusterTargetHandler.SetForwarded(context.ProxyRequest, new ForwardedRequest(context.HttpContext, context.DestinationPrefix, user));
        return ValueTask.CompletedTask;
    }
}
