using KcdDelegation.Yarp.Clusters;
using Yarp.ReverseProxy.Transforms;

namespace KcdDelegation.Yarp.Forwarding;

/// <summary>Keeps the user and the destination of a request of a delegated cluster for <see cref="ClusterTargets"/>.</summary>
internal sealed class DelegationRequestTransform : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // Without a user, KcdHandler refuses the request.
        var user = context.HttpContext.User is { Identity.IsAuthenticated: true } authenticated ? authenticated : null;
        // The user replaces the caller of an earlier transform. A later one can set another.
        if (user is not null && context.ProxyRequest.GetCaller() is not null)
            context.ProxyRequest.SetCaller(user);
        ClusterTargetHandler.SetForwarded(context.ProxyRequest, new ForwardedRequest(context.HttpContext, context.DestinationPrefix, user));
        return ValueTask.CompletedTask;
    }
}
