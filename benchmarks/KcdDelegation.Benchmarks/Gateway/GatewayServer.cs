using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>A gateway of YARP, without delegation, with the control or with <c>AddKcdDelegation</c>.</summary>
internal static class GatewayServer
{
    /// <summary>The name of the page that runs the gateway.</summary>
    public const string Page = "gateway-server";

    /// <summary>Runs the gateway until its input ends. Its first line is its address.</summary>
    public static async Task RunAsync(string settingsFile)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddJsonFile(settingsFile);
        // Plain YARP would write two lines for each request otherwise.
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var settings = builder.Configuration.GetSection(ProcessSettings.Section).Get<ProcessSettings>()!;
        AddAuthentication(builder, settings);
        AddProxy(builder, settings);
        await using var gateway = builder.Build();
        if (settings.Check == CallerCheck.Header)
            gateway.Use(SetCaller);
        gateway.MapReverseProxy();
        await gateway.StartAsync();
        await ChildProcess.AnswerAsync(gateway.Urls.First(), _ => Task.FromResult(ProcessUsage.Read()));
    }

    private static void AddAuthentication(WebApplicationBuilder builder, ProcessSettings settings)
    {
        var services = builder.Services;
        if (settings.Forwarding == Forwarding.Delegated || settings.Check == CallerCheck.KcdBearer)
            services.AddKcdDelegation(builder.Configuration.GetSection(ProcessSettings.KcdSection));
        if (settings.Check == CallerCheck.Header)
            return;
        services.AddAuthorization();
        if (settings.Check == CallerCheck.KcdBearer)
        {
            services.AddAuthentication().AddKcdBearer();
            return;
        }
        services.AddAuthentication().AddJwtBearer(bearer =>
        {
            (bearer.Authority, bearer.Audience) = (settings.Authority, settings.Audience);
            (bearer.RequireHttpsMetadata, bearer.MapInboundClaims) = (false, false);
        });
    }

    private static void AddProxy(WebApplicationBuilder builder, ProcessSettings settings)
    {
        var isDelegated = settings.Forwarding == Forwarding.Delegated;
        var route = new RouteConfig
        {
            RouteId = "app",
            ClusterId = "app",
            AuthorizationPolicy = settings.Check == CallerCheck.Header ? null : "default",
            Match = new RouteMatch { Path = "{**path}" },
        };
        var cluster = new ClusterConfig
        {
            ClusterId = "app",
            Metadata = isDelegated
                ? new Dictionary<string, string>(StringComparer.Ordinal) { ["KcdApplication"] = ProcessSettings.Application }
                : null,
            Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal)
            {
                ["backend"] = new() { Address = settings.Backend },
            },
        };
        var proxy = builder.Services.AddReverseProxy().LoadFromMemory([route], [cluster]);
        if (isDelegated)
            proxy.AddKcdDelegation(static options => options.ConfigureClient = static (_, handler) =>
                // The users of a row are idle while the other columns are measured. Active users would keep their connections.
                handler.PooledConnectionIdleTimeout = UserHandlers.IdleTimeout);
        if (settings.Forwarding != Forwarding.Control)
            return;
        builder.Services.AddSingleton<IForwarderHttpClientFactory>(new UserHandlers.Factory(settings.CreateControlValue()));
        proxy.AddTransforms(static context => context.AddRequestTransform(static forwarded =>
        {
            UserHandlers.SetUser(forwarded.ProxyRequest, forwarded.HttpContext.User.FindFirst(ProcessSettings.UserClaim)!.Value);
            return ValueTask.CompletedTask;
        }));
    }

    /// <summary>Sets the user that the request names. Every column with a cheap caller does this, plain YARP as well.</summary>
    private static Task SetCaller(HttpContext context, RequestDelegate next)
    {
        var user = context.Request.Headers[ProcessSettings.UserField].ToString();
        context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ProcessSettings.UserClaim, user)], "header"));
        return next(context);
    }
}
