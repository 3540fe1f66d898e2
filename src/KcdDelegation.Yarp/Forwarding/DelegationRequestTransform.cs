using KcdDelegation.Yarp.Clusters;
using Yarp.ReverseProxy.Transforms;

namespace KcdDelegation.Yarp.Forwarding;

/// <summary>Sets the user of a request of a delegated cluster.</summary>
internal sealed class DelegationRequestTransform : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        ClusterTargetHandler.SetForwarded(context.ProxyRequest, new ForwardedRequest(context.HttpContext, context.DestinationPrefix));
        // Without a user nothing is set, and KcdHandler refuses the request.
        if (context.HttpContext.User is { Identity.IsAuthenticated: true } user)
            context.ProxyRequest.SetCaller(user);
        return ValueTask.CompletedTask;
    }
}
