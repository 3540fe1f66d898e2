using System.Net;
using Yarp.ReverseProxy.Configuration;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Tests features of YARP's clusters with delegation: health checks, the original Host, session affinity.</summary>
public sealed class ClusterFeatureTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Health_probes_are_sent_without_a_user_on_separate_connections(bool hasHealthAddress)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var first = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var second = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var probed = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        var cluster = DelegatedGateway.CreateCluster("erp", first.Url, second.Url) with
        {
            HealthCheck = new HealthCheckConfig
            {
                AvailableDestinationsPolicy = "HealthyAndUnknown",
                Active = new ActiveHealthCheckConfig
                {
                    Enabled = true, Interval = TimeSpan.FromMilliseconds(100), Timeout = TimeSpan.FromSeconds(10), Path = "/health",
                    Policy = "ConsecutiveFailures",
                },
            },
        };
        if (hasHealthAddress)
        {
            cluster = cluster with
            {
                Destinations = cluster.Destinations!.ToDictionary(
                    entry => entry.Key, entry => entry.Value with { Health = probed.Url.AbsoluteUri }, StringComparer.Ordinal),
            };
        }
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup { Realm = realm, Cluster = cluster });
        KerberosBackend[] probes = hasHealthAddress ? [probed] : [first, second];
        var start = TimeProvider.System.GetTimestamp();
        while (probes.Any(backend => backend.Received.Count(received => received.Path == "/health") < 4)
            || new[] { first, second }.Any(backend => backend.Received.All(received => received.User != "ada")))
        {
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(20));
            (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.OK, "a destination whose probes failed would not be used");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        foreach (var backend in probes)
        {
            var received = backend.Received.Where(one => one.Path == "/health").ToList();
            received.ShouldAllBe(probe => !probe.Headers.ContainsKey("Authorization"));
            backend.Received.Where(one => one.Path == "/").Select(one => one.Connection)
                .ShouldNotContain(connection => received.Any(probe => probe.Connection == connection));
        }
    }

    [Theory]
    [InlineData("portal.contoso.test", HttpStatusCode.OK)]
    [InlineData("PORTAL.contoso.test", HttpStatusCode.OK)]
    [InlineData("other.contoso.test", HttpStatusCode.NotFound)]
    public async Task The_original_Host_reaches_the_backend_if_the_route_lists_it(string host, HttpStatusCode status)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("erp", backend.Url),
            Route = CreateRoute(["portal.contoso.test"]),
        });
        (await gateway.GetAsync("ada", change: request => request.Headers.Host = host)).Status.ShouldBe(status);
        backend.Received.Select(received => received.Headers["Host"]).ShouldBe(status == HttpStatusCode.OK ? [host] : []);
    }

    [Fact]
    public async Task A_Host_that_no_setting_names_is_not_sent()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm, Cluster = DelegatedGateway.CreateCluster("erp", backend.Url), Route = CreateRoute(null),
        });
        (await gateway.GetAsync("ada", change: request => request.Headers.Host = "other.contoso.test")).Status
            .ShouldBe(HttpStatusCode.BadRequest);
        backend.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_Host_of_a_destination_reaches_the_backend()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("erp") with
            {
                Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal)
                {
                    ["one"] = new() { Address = backend.Url.AbsoluteUri, Host = "erp.contoso.test" },
                },
            },
        });
        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.OK);
        backend.Received.Single().Headers["Host"].ShouldBe("erp.contoso.test");
    }

    [Fact]
    public async Task Session_affinity_keeps_a_client_on_its_destination()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var first = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var second = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("erp", first.Url, second.Url) with
            {
                SessionAffinity = new SessionAffinityConfig { Enabled = true, AffinityKeyName = "affinity" },
            },
        });
        using var response = await gateway.SendAsync("ada", "/");
        var cookie = response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var used = first.Received.IsEmpty ? second : first;
        for (var i = 0; i < 5; i++)
            (await gateway.GetAsync("ada", change: request => request.Headers.Add("Cookie", cookie))).ShouldBe((HttpStatusCode.OK, "ada"));
        used.Received.Count.ShouldBe(6);
        used.Received.ShouldAllBe(received => !received.Headers.ContainsKey("Cookie"));
    }

    private static RouteConfig CreateRoute(IReadOnlyList<string>? hosts) => new()
    {
        RouteId = "erp",
        ClusterId = "erp",
        Match = new RouteMatch { Path = "{**all}", Hosts = hosts },
        Transforms = [new Dictionary<string, string>(StringComparer.Ordinal) { ["RequestHeaderOriginalHost"] = "true" }],
    };
}
