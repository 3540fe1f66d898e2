using System.Net;
using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace KcdDelegation.Yarp.Tests;

/// <summary>A gateway of YARP with <c>AddKcdDelegation</c>, or of plain YARP. The user is the one that the header <c>X-User</c>
/// names.</summary>
internal sealed class DelegatedGateway : IAsyncDisposable
{
    public const string Erp = "HTTP/erp.contoso.test";
    public const string Crm = "HTTP/crm.contoso.test";

    private readonly WebApplication _application;
    private readonly X509Certificate2 _certificate = KerberosBackend.CreateCertificate();
    private readonly InMemoryConfigProvider _config;
    private readonly IConfigurationRoot _settings = new ConfigurationBuilder().AddInMemoryCollection().Build();
    private readonly Listener _listener = new();
    private readonly HttpMessageInvoker _client;

    private DelegatedGateway(GatewaySetup setup)
    {
        _config = new InMemoryConfigProvider([setup.Route], [setup.Cluster, .. setup.OtherClusters]);
        _client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            EnableMultipleHttp2Connections = true,
            Expect100ContinueTimeout = TimeSpan.FromSeconds(30),
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => IsTestCertificate(certificate) },
        });
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http1AndHttp2;
            endpoint.UseHttps(_certificate);
        }));
        var services = builder.Services;
        services.AddSingleton<IOptionsChangeTokenSource<KcdOptions>>(new ConfigurationChangeTokenSource<KcdOptions>(_settings));
        services.AddSingleton<IConfigChangeListener>(_listener);
        services.AddSingleton<IProxyConfigProvider>(_config);
        setup.Services?.Invoke(services);
        // For the clusters without delegation.
        var proxy = services.AddReverseProxy().ConfigureHttpClient(static (_, handler) => TrustTestCertificates(handler));
        if (setup.Realm is { } realm)
        {
            services.AddKcdDelegation(options =>
            {
                options.Applications["erp"] = CreateApplication(Erp);
                options.Applications["crm"] = CreateApplication(Crm);
                setup.Options?.Invoke(options);
            });
            services.UseTestRealm(realm, "gateway");
            proxy.AddKcdDelegation(options =>
            {
                options.ConfigureClient = static (_, handler) => TrustTestCertificates(handler);
                setup.Proxy?.Invoke(options);
            });
        }
        setup.After?.Invoke(proxy);
        _application = builder.Build();
        setup.Before?.Invoke(_application);
        _application.Use((context, next) =>
        {
            if (context.Request.Headers["X-User"].ToString() is { Length: > 0 } user)
                context.User = CreatePrincipal(user);
            return next(context);
        });
        if (setup.Pipeline is { } pipeline)
            _application.MapReverseProxy(pipeline);
        else
            _application.MapReverseProxy();
    }

    public Uri Url => new UriBuilder(_application.Urls.First()) { Host = "localhost" }.Uri;

    public static TestRealm StartRealm() => TestRealm.Start()
        .User("ada").User("bob").User("eve", sensitive: true)
        .Account("gateway", mayDelegateTo: [Erp, Crm])
        .Service(Erp).Service(Crm);

    public static async Task<DelegatedGateway> StartAsync(GatewaySetup setup)
    {
        var gateway = new DelegatedGateway(setup);
        await gateway._application.StartAsync(TestContext.Current.CancellationToken);
        (await gateway._listener.WaitAsync()).ShouldBeNull();
        return gateway;
    }

    /// <summary>Starts a gateway with one delegated cluster and YARP's other defaults.</summary>
    public static Task<DelegatedGateway> StartAsync(TestRealm realm, params IReadOnlyList<KerberosBackend> backends) =>
        StartAsync(new GatewaySetup { Realm = realm, Cluster = CreateCluster("erp", [.. backends.Select(one => one.Url)]) });

    /// <summary>Creates the cluster of all tests.</summary>
    /// <param name="application">The application in its metadata; null for none.</param>
    /// <param name="addresses">The addresses of the destinations.</param>
    public static ClusterConfig CreateCluster(string? application, params IReadOnlyList<Uri> addresses) => new()
    {
        ClusterId = "erp",
        LoadBalancingPolicy = "RoundRobin",
        Metadata = application is null ? null
            : new Dictionary<string, string>(StringComparer.Ordinal) { ["KcdApplication"] = application },
        Destinations = addresses.ToDictionary(
            address => address.Authority, address => new DestinationConfig { Address = address.AbsoluteUri }, StringComparer.Ordinal),
    };

    /// <summary>Replaces the cluster.</summary>
    /// <returns>The error of a configuration that was not applied; otherwise null.</returns>
    public async Task<Exception?> UpdateAsync(ClusterConfig cluster)
    {
        _config.Update([new GatewaySetup { Cluster = cluster }.Route], [cluster]);
        return await _listener.WaitAsync();
    }

    /// <summary>Removes all clusters and routes.</summary>
    public async Task RemoveClustersAsync()
    {
        _config.Update([], []);
        (await _listener.WaitAsync()).ShouldBeNull();
    }

    /// <summary>Reads the options of delegation again.</summary>
    public void ReloadOptions() => _settings.Reload();

    /// <summary>Sends a request as the user; null for none. Returns after the header section of the response.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        string? user, string path, Action<HttpRequestMessage>? change = null, HttpMethod? method = null,
        CancellationToken? cancellation = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, new Uri(Url, path));
        if (user is not null)
            request.Headers.Add("X-User", user);
        change?.Invoke(request);
        return await _client.SendAsync(request, cancellation ?? TestContext.Current.CancellationToken);
    }

    public static ClaimsPrincipal CreatePrincipal(string user) =>
        new(new ClaimsIdentity([new Claim("upn", $"{user}@contoso.test")], "test"));

    public async Task<(HttpStatusCode Status, string Body)> GetAsync(
        string? user, string path = "/", Action<HttpRequestMessage>? change = null)
    {
        using var response = await SendAsync(user, path, change);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Gets the client, for WebSockets.</summary>
    public HttpMessageInvoker Invoker => _client;

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
        _client.Dispose();
        _certificate.Dispose();
    }

    public static void TrustTestCertificates(SocketsHttpHandler handler) =>
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => IsTestCertificate(certificate);

    public static bool IsTestCertificate(X509Certificate? certificate) => certificate?.Subject == "CN=localhost";

    private static DelegatedApplication CreateApplication(string service) => new()
    {
        // Not an address of a destination: the cluster names those.
        InternalUrl = new Uri($"https://{service.Split('/')[1]}/"),
        ServicePrincipalName = service,
        LoginIdentity = LoginIdentity.UserPrincipalUsername,
    };

    /// <summary>Reports each configuration that YARP has applied or refused.</summary>
    private sealed class Listener : IConfigChangeListener
    {
        private readonly Channel<Exception?> _results = Channel.CreateUnbounded<Exception?>();

        public async Task<Exception?> WaitAsync() => await _results.Reader.ReadAsync(TestContext.Current.CancellationToken);

        public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs) => _results.Writer.TryWrite(null);

        public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception) =>
            _results.Writer.TryWrite(exception);

        public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
        {
        }

        public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception) =>
            _results.Writer.TryWrite(exception);
    }
}

/// <summary>What a test changes in a gateway.</summary>
internal sealed record GatewaySetup
{
    /// <summary>Gets the realm; null for plain YARP.</summary>
    public TestRealm? Realm { get; init; }

    public required ClusterConfig Cluster { get; init; }

    /// <summary>Gets clusters that no route names.</summary>
    public IReadOnlyList<ClusterConfig> OtherClusters { get; init; } = [];

    public RouteConfig Route { get; init; } =
        new() { RouteId = "erp", ClusterId = "erp", Match = new RouteMatch { Path = "{**all}" } };

    public Action<KcdOptions>? Options { get; init; }

    public Action<KcdReverseProxyOptions>? Proxy { get; init; }

    public Action<IServiceCollection>? Services { get; init; }

    /// <summary>Gets the calls after <c>AddKcdDelegation</c>.</summary>
    public Action<IReverseProxyBuilder>? After { get; init; }

    /// <summary>Gets the middleware outside of the proxy.</summary>
    public Action<WebApplication>? Before { get; init; }

    public Action<IReverseProxyApplicationBuilder>? Pipeline { get; init; }
}
