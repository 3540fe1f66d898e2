using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>The paths <c>/health/live</c> and <c>/health/ready</c> of the gateway itself.</summary>
/// <remarks>At the host of an application, these paths belong to the application, with its authentication. Neither a path nor a user agent
/// is an exception to that.</remarks>
internal sealed class HealthEndpoints(GatewaySettingsStore settings, HealthCheckService checks, DrainState drain)
{
    private const string Live = "live";
    private const string Ready = "ready";

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        var check = request.Path.Value switch { "/health/live" => Live, "/health/ready" => Ready, _ => null };
        return check is null || !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            || settings.Current.FindApplication(request.Host) is not null
            ? next(context)
            : AnswerAsync(context, check);
    }

    private async Task AnswerAsync(HttpContext context, string check)
    {
        var status = check == Ready && drain.IsDraining
            ? HealthStatus.Unhealthy
            : (await checks.CheckHealthAsync(registration => registration.Tags.Contains(check), context.RequestAborted)).Status;
        var response = context.Response;
        response.StatusCode =
            status == HealthStatus.Unhealthy ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        response.Headers.CacheControl = "no-store";
        response.ContentType = "text/plain";
        if (!HttpMethods.IsHead(context.Request.Method))
            await response.WriteAsync($"{status}\n", context.RequestAborted);
    }
}
