using System.Collections.Concurrent;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace KcdDelegation.Yarp.Tests;

/// <summary>A gateway of plain YARP whose clusters use <see cref="KcdHandler"/>. The caller is the user named in the query parameter
/// <c>as</c>.</summary>
internal sealed class PlainGateway : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly DelegationClient _client;
    private readonly X509Certificate2 _certificate = KerberosBackend.CreateCertificate();

    private PlainGateway(KcdOptions options, ClusterConfig cluster, RouteConfig route, Func<SocketsHttpHandler> createHandler)
    {
        _client = DelegationClient.Create(options);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http1AndHttp2;
            endpoint.UseHttps(_certificate);
        }));
        builder.Services.AddHttpContextAccessor();
        builder.Services.AddSingleton<IForwarderHttpClientFactory>(services =>
            new DelegatedClients(_client, services.GetRequiredService<IHttpContextAccessor>(), createHandler));
        builder.Services.AddSingleton<IProbingRequestFactory, AnonymousProbes>();
        builder.Services.AddReverseProxy().LoadFromMemory([route], [cluster]);
        _application = builder.Build();
        _application.UseWebSockets();
        _application.Use((context, next) =>
        {
            if (context.Request.Query["as"].ToString() is { Length: > 0 } user)
                context.User = new ClaimsPrincipal(new ClaimsIdentity(
                    [new Claim("upn", $"{user}@contoso.test"), new Claim("onprem_sam_account_name", user)], "test"));
            return next(context);
        });
        _application.MapReverseProxy(pipeline => pipeline.Use(async (context, next) =>
        {
            await next(context);
            if (context.Features.Get<IForwarderErrorFeature>()?.Exception is { } error)
                Errors.Enqueue(error);
        }));
    }

    /// <summary>Starts a gateway to backends of one service.</summary>
    /// <param name="realm">The realm of the users and the service.</param>
    /// <param name="backends">The backends. All of them are destinations of one cluster and origins of one application.</param>
    /// <param name="changeCluster">Changes the cluster.</param>
    /// <param name="changeRoute">Changes the route.</param>
    /// <param name="changeApplication">Changes the application.</param>
    public static async Task<PlainGateway> StartAsync(
        TestRealm realm,
        IReadOnlyList<KerberosBackend> backends,
        Func<ClusterConfig, ClusterConfig>? changeCluster = null,
        Func<RouteConfig, RouteConfig>? changeRoute = null,
        Action<DelegatedApplication>? changeApplication = null)
    {
        var options = realm.CreateOptions("gateway");
        var application = options.Applications["erp"] = new DelegatedApplication
        {
            InternalUrl = backends[0].Url,
            ServicePrincipalName = GatewayRealm.Service,
            LoginIdentity = LoginIdentity.UserPrincipalUsername,
        };
        foreach (var backend in backends.Skip(1))
            application.AdditionalOrigins.Add(backend.Url.GetLeftPart(UriPartial.Authority));
        changeApplication?.Invoke(application);

        var cluster = new ClusterConfig
        {
            ClusterId = "erp",
            LoadBalancingPolicy = "RoundRobin",
            Destinations = backends.ToDictionary(
                backend => backend.Url.Authority, backend => new DestinationConfig { Address = backend.Url.AbsoluteUri },
                StringComparer.Ordinal),
        };
        var route = new RouteConfig { RouteId = "erp", ClusterId = "erp", Match = new RouteMatch { Path = "{**all}" } };
        return await StartAsync(options, changeCluster?.Invoke(cluster) ?? cluster, changeRoute?.Invoke(route) ?? route, () => new()
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                backends.Any(backend => backend.HasCertificate(certificate)) },
        });
    }

    /// <summary>Starts a gateway with one cluster, whose requests are delegated to the application <c>erp</c>.</summary>
    public static async Task<PlainGateway> StartAsync(
        KcdOptions options, ClusterConfig cluster, RouteConfig route, Func<SocketsHttpHandler> createHandler)
    {
        var gateway = new PlainGateway(options, cluster, route, createHandler);
        await gateway._application.StartAsync(TestContext.Current.CancellationToken);
        return gateway;
    }

    public Uri Url => new UriBuilder(_application.Urls.First()) { Host = "localhost" }.Uri;

    /// <summary>Gets the errors of forwarded requests.</summary>
    public ConcurrentQueue<Exception> Errors { get; } = new();

    /// <summary>Creates a client of the gateway.</summary>
    public HttpMessageInvoker CreateInvoker() => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate is not null && certificate.GetRawCertData().AsSpan().SequenceEqual(_certificate.RawData) },
    });

    public async Task<HttpResponseMessage> GetAsync(string user, string path, Action<HttpRequestMessage>? change = null)
    {
        using var invoker = CreateInvoker();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Url, $"{path}?as={user}"));
        change?.Invoke(request);
        var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken);
        await response.Content.LoadIntoBufferAsync(TestContext.Current.CancellationToken);
        return response;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
        await _client.DisposeAsync();
        _certificate.Dispose();
    }

    /// <summary>Creates the client of a cluster: <see cref="KcdHandler"/> is the handler of the invoker.</summary>
    private sealed class DelegatedClients(
        DelegationClient client, IHttpContextAccessor contexts, Func<SocketsHttpHandler> createHandler) : IForwarderHttpClientFactory
    {
        public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context) =>
            context.OldClient ?? new HttpMessageInvoker(new KcdHandler(client, "erp", createHandler, new ContextCaller(contexts)));
    }

    private sealed class ContextCaller(IHttpContextAccessor contexts) : ICallerAccessor
    {
        public ClaimsPrincipal? Caller => contexts.HttpContext?.User;
    }

    /// <summary>Creates the requests of YARP's active health checks, and marks them as anonymous.</summary>
    private sealed class AnonymousProbes : IProbingRequestFactory
    {
        public HttpRequestMessage CreateRequest(ClusterModel cluster, DestinationModel destination)
        {
            var request = new HttpRequestMessage(
                HttpMethod.Get, new Uri(new Uri(destination.Config.Address), cluster.Config.HealthCheck!.Active!.Path));
            request.SetAnonymous();
            return request;
        }
    }
}

/// <summary>A realm with a gateway's account and a service that it may delegate to.</summary>
internal static class GatewayRealm
{
    public const string Service = "HTTP/erp.contoso.test";

    public static TestRealm Start() => TestRealm.Start()
        .User("ada").User("bob")
        .Account("gateway", mayDelegateTo: [Service])
        .Service(Service);
}
