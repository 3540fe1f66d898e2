using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Tests the configuration of delegated clusters: at the start, and changes while the gateway runs.</summary>
public sealed class ReloadTests
{
    [Fact]
    public async Task Delegation_can_be_added_to_a_cluster_and_removed_again()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(
            new GatewaySetup { Realm = realm, Cluster = DelegatedGateway.CreateCluster(null, backend.Url) });
        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.Unauthorized, "the backend's own answer");

        (await gateway.UpdateAsync(DelegatedGateway.CreateCluster("erp", backend.Url))).ShouldBeNull();
        (await gateway.GetAsync("ada")).ShouldBe((HttpStatusCode.OK, "ada"));

        (await gateway.UpdateAsync(DelegatedGateway.CreateCluster(null, backend.Url))).ShouldBeNull();
        var before = backend.Received.Count;
        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        backend.Received.Count.ShouldBe(before + 1);
        backend.Received.Last().Headers.ContainsKey("Authorization").ShouldBeFalse("a plain cluster gets no ticket");
    }

    [Fact]
    public async Task A_change_of_the_application_takes_effect()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Crm);
        await using var gateway = await DelegatedGateway.StartAsync(realm, backend);
        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.Forbidden, "the ticket is for another service");

        (await gateway.UpdateAsync(DelegatedGateway.CreateCluster("crm", backend.Url))).ShouldBeNull();
        (await gateway.GetAsync("ada")).ShouldBe((HttpStatusCode.OK, "ada"));
    }

    [Fact]
    public async Task An_added_destination_is_used_at_once()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var first = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var second = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(realm, first);
        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.OK);

        (await gateway.UpdateAsync(DelegatedGateway.CreateCluster("erp", first.Url, second.Url))).ShouldBeNull();
        for (var i = 0; i < 4; i++)
            (await gateway.GetAsync("ada")).ShouldBe((HttpStatusCode.OK, "ada"));
        second.Received.Count.ShouldBe(2);
        realm.Transcript.Count(line => line.StartsWith("PROXY", StringComparison.Ordinal)).ShouldBe(1, "the ticket is kept");
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("moved")]
    [InlineData("plain")]
    [InlineData("crm")]
    public async Task A_destination_that_is_not_the_application_s_any_more_gets_no_ticket(string change)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var first = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var second = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        using var arrived = new SemaphoreSlim(0);
        using var proceed = new SemaphoreSlim(0);
        var cluster = DelegatedGateway.CreateCluster("erp", first.Url);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = cluster,
            // The address is one of the application's own: the cluster decides nevertheless.
            Options = options => options.Applications["erp"].InternalUrl = first.Url,
            Pipeline = pipeline =>
            {
                pipeline.UseLoadBalancing();
                pipeline.Use(async (context, next) =>
                {
                    arrived.Release();
                    await proceed.WaitAsync(context.RequestAborted);
                    await next(context);
                });
            },
        });
        var pending = gateway.GetAsync("ada");
        await arrived.WaitAsync(TestContext.Current.CancellationToken);
        (await gateway.UpdateAsync(change switch
        {
            "removed" => DelegatedGateway.CreateCluster("erp", second.Url),
            "moved" => cluster with { Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal)
            {
                [first.Url.Authority] = new() { Address = second.Url.AbsoluteUri },
            } },
            "plain" => cluster with { Metadata = null },
            _ => DelegatedGateway.CreateCluster("crm", first.Url),
        })).ShouldBeNull();
        proceed.Release();
        var (status, _) = await pending;
        first.Received.ShouldBeEmpty();
        // A destination that has moved is used at its new address.
        status.ShouldBe(change == "moved" ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_request_that_was_routed_before_its_cluster_was_delegated_is_refused_as_unavailable()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        using var arrived = new SemaphoreSlim(0);
        using var proceed = new SemaphoreSlim(0);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster(null, backend.Url),
            // After the choice of the route, and before YARP reads the state of the cluster.
            Before = application => application.Use(async (context, next) =>
            {
                arrived.Release();
                await proceed.WaitAsync(context.RequestAborted);
                await next(context);
            }),
        });
        var pending = gateway.GetAsync("ada");
        await arrived.WaitAsync(TestContext.Current.CancellationToken);
        (await gateway.UpdateAsync(DelegatedGateway.CreateCluster("erp", backend.Url))).ShouldBeNull();
        proceed.Release(2);
        (await pending).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        backend.Received.ShouldBeEmpty();
        (await gateway.GetAsync("ada")).ShouldBe((HttpStatusCode.OK, "ada"));
    }

    [Theory]
    [InlineData("client")]
    [InlineData("application")]
    [InlineData("plain")]
    [InlineData("removed")]
    public async Task The_connections_of_a_replaced_client_are_closed_when_their_responses_have_ended(string change)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(realm, backend);
        (await gateway.GetAsync("bob")).ShouldBe((HttpStatusCode.OK, "bob"));
        using var stream = await gateway.SendAsync("ada", "/events");
        backend.OpenConnections.ShouldBe(2);

        var cluster = DelegatedGateway.CreateCluster("erp", backend.Url);
        if (change == "removed")
            await gateway.RemoveClustersAsync();
        else
            (await gateway.UpdateAsync(change switch
            {
                "client" => cluster with { HttpClient = new HttpClientConfig { MaxConnectionsPerServer = 5 } },
                "plain" => cluster with { Metadata = null },
                _ => DelegatedGateway.CreateCluster("crm", backend.Url),
            })).ShouldBeNull();
        await backend.WaitForConnectionsAsync(1);

        backend.NextEvent.Release(2);
        (await stream.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("ada 3");
        await backend.WaitForConnectionsAsync(0);
    }

    [Fact]
    public async Task A_request_that_was_routed_to_a_replaced_client_is_served()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        using var arrived = new SemaphoreSlim(0);
        using var proceed = new SemaphoreSlim(0);
        var cluster = DelegatedGateway.CreateCluster("erp", backend.Url);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = cluster,
            Pipeline = pipeline =>
            {
                pipeline.UseLoadBalancing();
                pipeline.Use(async (context, next) =>
                {
                    arrived.Release();
                    await proceed.WaitAsync(context.RequestAborted);
                    await next(context);
                });
            },
        });
        var pending = gateway.GetAsync("ada");
        await arrived.WaitAsync(TestContext.Current.CancellationToken);
        (await gateway.UpdateAsync(cluster with { HttpClient = new HttpClientConfig { MaxConnectionsPerServer = 5 } })).ShouldBeNull();
        proceed.Release();
        (await pending).ShouldBe((HttpStatusCode.OK, "ada"));
        await backend.WaitForConnectionsAsync(0);
    }

    [Fact]
    public async Task An_application_that_a_cluster_names_needs_no_InternalUrl()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("ERP", backend.Url),
            Options = options => options.Applications["erp"].InternalUrl = null,
        });
        (await gateway.GetAsync("ada", "/a%2Fb")).ShouldBe((HttpStatusCode.OK, "ada"));
    }

    [Fact]
    public async Task A_host_with_an_application_that_has_neither_an_address_nor_a_cluster_does_not_start()
    {
        await using var realm = DelegatedGateway.StartRealm();
        (await Should.ThrowAsync<InvalidOperationException>(() => DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("crm", new Uri("https://crm1.contoso.test/")),
            Options = options =>
                (options.Applications["erp"].InternalUrl, options.Applications["crm"].InternalUrl) = (null, null),
        }))).Message.ShouldBe(
            "Kcd:Applications:erp:InternalUrl is missing, and no cluster of the reverse proxy names the application. No request can be "
                + "sent to it. Set the metadata KcdApplication of a cluster to \"erp\", or write the backend's address, such as "
                + "https://erp.contoso.com/.");
    }

    [Fact]
    public async Task A_configuration_with_an_error_is_not_applied_and_the_previous_one_stays()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(realm, backend);
        (await gateway.UpdateAsync(DelegatedGateway.CreateCluster("eap", backend.Url))).ShouldNotBeNull()
            .ToString().ShouldContain("'eap'");
        (await gateway.GetAsync("ada")).ShouldBe((HttpStatusCode.OK, "ada"));
    }

    [Fact]
    public async Task An_application_that_disappears_is_not_served_any_more()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        var isRemoved = false;
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("erp", backend.Url),
            Options = options =>
            {
                if (isRemoved)
                    options.Applications.Remove("erp");
            },
        });
        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.OK);
        isRemoved = true;
        gateway.ReloadOptions();
        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.Forbidden);
        backend.Received.Count.ShouldBe(1);
    }

    public static TheoryData<string, string> Errors => new()
    {
        { "application", "Kcd:Applications" },
        { "metadata", "KcdAplication" },
        { "proxy", "HttpClient:WebProxy" },
        { "version", "HttpRequest:VersionPolicy" },
        { "http", "AllowPlainHttp" },
        { "health", "Health" },
        { "query", "a query" },
        { "client factory", "IForwarderHttpClientFactory" },
        { "probe factory", "IProbingRequestFactory" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task A_host_with_an_error_in_a_delegated_cluster_does_not_start(string error, string named)
    {
        await using var realm = DelegatedGateway.StartRealm();
        var address = new Uri("https://erp1.contoso.test/");
        var cluster = DelegatedGateway.CreateCluster("erp", address);
        ClusterConfig With(DestinationConfig destination) => cluster with
        {
            Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal) { ["one"] = destination },
        };
        var setup = new GatewaySetup
        {
            Realm = realm,
            Cluster = error switch
            {
                "application" => DelegatedGateway.CreateCluster("other", address),
                "metadata" => cluster with
                {
                    Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["KcdAplication"] = "erp" },
                },
                "proxy" => cluster with { HttpClient = new HttpClientConfig { WebProxy = new() { Address = address } } },
                "version" => cluster with
                {
                    HttpRequest = new ForwarderRequestConfig
                    {
                        Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                    },
                },
                "http" => With(new DestinationConfig { Address = "http://erp1.contoso.test/" }),
                "health" => With(new DestinationConfig { Address = "https://erp1.contoso.test/", Health = "http://erp1.contoso.test/" }),
                "query" => With(new DestinationConfig { Address = "https://erp1.contoso.test/?a=b" }),
                "probe factory" => cluster with
                {
                    HealthCheck = new HealthCheckConfig { Active = new ActiveHealthCheckConfig { Enabled = true } },
                },
                _ => cluster,
            },
            After = proxy =>
            {
                if (error == "client factory")
                    proxy.Services.AddSingleton<IForwarderHttpClientFactory, ForwarderHttpClientFactory>();
                else if (error == "probe factory")
                    proxy.Services.AddSingleton<global::Yarp.ReverseProxy.Health.IProbingRequestFactory, PlainProbes>();
            },
        };
        (await Should.ThrowAsync<Exception>(() => DelegatedGateway.StartAsync(setup))).ToString().ShouldContain(named);
    }

    [Fact]
    public async Task ConfigureHttpClient_after_AddKcdDelegation_fails()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await Should.ThrowAsync<InvalidOperationException>(() => DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("erp", new Uri("https://erp1.contoso.test/")),
            After = proxy => proxy.ConfigureHttpClient((_, _) => { }),
        }));
    }

    private sealed class PlainProbes : global::Yarp.ReverseProxy.Health.IProbingRequestFactory
    {
        public HttpRequestMessage CreateRequest(
            global::Yarp.ReverseProxy.Model.ClusterModel cluster, global::Yarp.ReverseProxy.Model.DestinationModel destination) =>
            new(HttpMethod.Get, destination.Config.Address);
    }
}
