using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace KcdDelegation.Gateway.Applications;

/// <summary>The configuration of YARP: for each application one route, selected by host, and one cluster.</summary>
internal sealed class RouteConfiguration : IConfigChangeListener
{
    private readonly ILogger _logger;

    public RouteConfiguration(GatewaySettingsStore settings, InMemoryConfigProvider provider, ILoggerFactory loggerFactory)
    {
        _logger = loggerFactory.CreateLogger(GatewayLog.Category);
        settings.Subscribe(current => provider.Update(
            [.. current.Applications.Values.Select(CreateRoute)], [.. current.Applications.Values.Select(CreateCluster)]));
    }

    public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception) => Report(exception);

    public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
    }

    public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception) => Report(exception);

    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
    }

    private void Report(Exception exception)
    {
        foreach (var error in exception is AggregateException all ? all.InnerExceptions : [exception])
            GatewayLog.RoutesRejected(_logger, error.Message);
    }

    private static RouteConfig CreateRoute(GatewayApplication application) => new()
    {
        RouteId = application.Name,
        ClusterId = application.Name,
        // The server decodes an internationalized name before it is matched.
        Match = new RouteMatch { Hosts = [HostString.FromUriComponent(application.Host).Value!], Path = "{**path}" },
        Transforms = application.PreserveHost
            ? [new Dictionary<string, string>(StringComparer.Ordinal) { ["RequestHeaderOriginalHost"] = "true" }]
            : null,
    };

    private static ClusterConfig CreateCluster(GatewayApplication application) => new()
    {
        ClusterId = application.Name,
        LoadBalancingPolicy = "PowerOfTwoChoices",
        Metadata = application.Delegation is { } name
            ? new Dictionary<string, string>(StringComparer.Ordinal) { ["KcdApplication"] = name }
            : null,
        // The encodings in which the listener reads and writes header fields.
        HttpClient = new HttpClientConfig { RequestHeaderEncoding = "utf-8", ResponseHeaderEncoding = "latin1" },
        HttpRequest = new ForwarderRequestConfig { ActivityTimeout = application.ActivityTimeout },
        Destinations = application.InternalUrls.Distinct().ToDictionary(
            url => url.Authority, url => new DestinationConfig { Address = url.AbsoluteUri }, StringComparer.OrdinalIgnoreCase),
    };
}
