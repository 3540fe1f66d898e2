using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Gateway.Pages;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Kerberos.Names;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Applications;

/// <summary>Finds the application of a request by its host, and nothing else. A request for an unknown host ends here.</summary>
internal sealed class ApplicationSelection(GatewaySettingsStore settings, ILoggerFactory loggerFactory, TimeProvider timeProvider)
{
    private readonly ILogger _logger = loggerFactory.CreateLogger(GatewayLog.Category);

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var current = settings.Current;
        if (current.FindApplication(context.Request.Host) is not { } application)
        {
            GatewayLog.HostUnknown(_logger, PrintableText.From(context.Request.Host.Value, 256));
            return HostPages.NoApplication.WriteAsync(context, current.Pages, timeProvider);
        }
        if (!string.Equals(context.Request.Scheme, application.ExternalUrl.Scheme, StringComparison.OrdinalIgnoreCase))
            return RequireSchemeAsync(context, application, current);
        context.Features.Set(new ApplicationFeature(application, current));
        return next(context);
    }

    /// <summary>Answers a request over http. Only a navigation is redirected: other requests have already sent their content.</summary>
    private Task RequireSchemeAsync(HttpContext context, GatewayApplication application, GatewaySettings current)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
            return HostPages.HttpsRequired.WriteAsync(context, current.Pages, timeProvider);
        // The address is that of the settings: no header of the request can lead elsewhere.
        context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        context.Response.Headers.Location =
            application.ExternalUrl.GetLeftPart(UriPartial.Authority) + SentTarget.GetPathAndQuery(context.Request);
        context.Response.Headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }
}
