using KcdDelegation.Gateway.Requests;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace KcdDelegation.Gateway.Applications;

/// <summary>Replaces the internal addresses in responses by the external ones, so that an application works that does not know the
/// gateway.</summary>
internal sealed class ResponseRewriting : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context) => context.AddResponseTransform(static transform =>
    {
        var (application, settings) = transform.HttpContext.GetApplicationFeature();
        var (headers, map) = (transform.HttpContext.Response.Headers, ExternalAddresses.Get(settings));
        if (headers.Location.Count > 0)
            headers.Location = map.Replace(headers.Location.ToString(), application);
        if (headers.TryGetValue("Content-Location", out var location))
            headers["Content-Location"] = map.Replace(location.ToString(), application);
        if (headers.SetCookie.Count > 0)
            headers.SetCookie = Array.ConvertAll(headers.SetCookie.ToArray(), CookieDomain.Remove);
        return ValueTask.CompletedTask;
    });
}
