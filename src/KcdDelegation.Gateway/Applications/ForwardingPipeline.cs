using KcdDelegation.Gateway.Pages;
using KcdDelegation.Gateway.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace KcdDelegation.Gateway.Applications;

/// <summary>The steps around the forwarding of a request to its application.</summary>
internal static class ForwardingPipeline
{
    public static void Configure(IReverseProxyApplicationBuilder proxy, TimeProvider timeProvider)
    {
        proxy.Use((context, next) => ForwardAsync(context, next, timeProvider));
        proxy.UseSessionAffinity();
        proxy.UseLoadBalancing();
        proxy.UsePassiveHealthChecks();
    }

    private static async Task ForwardAsync(HttpContext context, Func<Task> next, TimeProvider timeProvider)
    {
        var (application, settings) = context.GetApplicationFeature();
        // The routes change after the settings. Without this check, the conditions of one application could admit to another.
        var route = context.Features.Get<IReverseProxyFeature>()?.Route.Config.RouteId;
        if (!string.Equals(route, application.Name, StringComparison.OrdinalIgnoreCase))
        {
            await HostPages.ApplicationUnavailable.WriteAsync(context, settings.Pages, timeProvider);
            return;
        }
        await next();
        if (context.Features.Get<IForwarderErrorFeature>() is not null && !context.Response.HasStarted
            && context.Response is { StatusCode: >= StatusCodes.Status502BadGateway, ContentLength: null }
            && !context.RequestAborted.IsCancellationRequested)
            await (HostPages.ApplicationUnavailable with { Status = context.Response.StatusCode })
                .WriteAsync(context, settings.Pages, timeProvider);
    }
}
