using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>Marks the connections of the listener for Prometheus, as a feature. Nothing in a request can set it.</summary>
/// <remarks>The listener has the metrics and nothing else, and no other listener has them.</remarks>
internal sealed class PrometheusListener
{
    private static readonly PrometheusListener s_mark = new();

    private PrometheusListener()
    {
    }

    public static void Mark(ListenOptions endpoint) => endpoint.Use(next => connection =>
    {
        connection.Features.Set(s_mark);
        return next(connection);
    });

    /// <summary>Answers the requests at the listener: <c>/metrics</c>, or 404.</summary>
    public static void Use(IApplicationBuilder app) => app.MapWhen(
        static context => context.Features.Get<PrometheusListener>() is not null,
        static metrics => metrics.UseOpenTelemetryPrometheusScrapingEndpoint(
            static context => HttpMethods.IsGet(context.Request.Method) && context.Request.Path == "/metrics"));
}
