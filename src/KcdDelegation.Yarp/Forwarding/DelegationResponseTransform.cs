using Yarp.ReverseProxy.Transforms;

namespace KcdDelegation.Yarp.Forwarding;

/// <summary>Keeps a backend's refusal for <see cref="AnsweringForwarder"/> and drops its body.</summary>
/// <remarks>The backend's page describes a sign-in that the user cannot do.</remarks>
internal sealed class DelegationResponseTransform : ResponseTransform
{
    public override ValueTask ApplyAsync(ResponseTransformContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.ProxyResponse?.GetKcdRefusal() is { } refusal)
        {
            context.HttpContext.Features.Set(new RefusalFeature(refusal));
            context.SuppressResponseBody = true;
        }
        return ValueTask.CompletedTask;
    }
}
