using System.Net;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Tests which requests a delegated cluster forwards, and how it answers the others.</summary>
public sealed class ForwardingTests
{
    [Fact]
    public async Task Two_users_are_served_as_themselves_on_separate_connections()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var first = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var second = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(realm, first, second);
        await Parallel.ForEachAsync(Enumerable.Range(0, 60), TestContext.Current.CancellationToken, async (i, _) =>
        {
            var user = i % 2 == 0 ? "ada" : "bob";
            (await gateway.GetAsync(user)).ShouldBe((HttpStatusCode.OK, user));
        });
        foreach (var backend in (KerberosBackend[])[first, second])
        {
            backend.Received.ShouldNotBeEmpty("the requests are distributed");
            backend.Received.GroupBy(received => received.Connection, StringComparer.Ordinal)
                .ShouldAllBe(requests => requests.Select(received => received.User).Distinct().Count() == 1);
        }
        realm.Transcript.Count(line => line.StartsWith("PROXY", StringComparison.Ordinal))
            .ShouldBe(2, "both destinations have one service");
    }

    [Fact]
    public async Task A_request_without_a_user_gets_401_and_is_not_sent()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(realm, backend);
        (await gateway.GetAsync(null)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        // A token that the host has not authenticated is not a user either.
        (await gateway.GetAsync(null, change: request => request.Headers.Authorization = new("Negotiate", "YIIB"))).Status
            .ShouldBe(HttpStatusCode.Unauthorized);
        (backend.Received.Count, realm.Transcript.Count).ShouldBe((0, 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_user_who_must_not_be_delegated_gets_403_without_details(bool hasStatusPages)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("erp", backend.Url),
            Before = application =>
            {
                // Middleware that writes a body for a status without one must not replace the answer.
                if (hasStatusPages)
                    application.UseStatusCodePages();
                application.Use((context, next) =>
                {
                    context.Response.Headers["X-Gateway"] = "kept";
                    return next(context);
                });
            },
        });
        using var response = await gateway.SendAsync("eve", "/");
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        response.Headers.GetValues("X-Gateway").ShouldBe(["kept"]);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        body.ShouldContain("user-not-permitted");
        body.ShouldNotContain("eve");
        body.ShouldNotContain("contoso", Case.Insensitive);
        (await gateway.GetAsync("eve", change: request => request.Headers.Add("Sec-Fetch-Mode", "navigate"))).Body.ShouldContain("<h1>");
        backend.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_user_s_request_that_a_transform_marks_as_anonymous_is_not_sent()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await StartWithTransformAsync(realm, backend, static request => request.SetAnonymous());

        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.Forbidden);
        backend.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_signed_in_user_replaces_the_caller_of_an_earlier_transform()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await StartWithTransformAsync(
            realm, backend, static request => request.SetCaller(DelegatedGateway.CreatePrincipal("bob")));

        (await gateway.GetAsync("ada")).ShouldBe((HttpStatusCode.OK, "ada"));
    }

    [Fact]
    public async Task A_refusal_of_the_backend_becomes_403_and_its_negotiation_stays_in_the_gateway()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(realm, backend);
        using var response = await gateway.SendAsync("ada", "/refuse");
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        response.Headers.WwwAuthenticate.ShouldBeEmpty();
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldNotContain("sign-in page");
        backend.Received.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Users_who_must_not_be_delegated_make_no_destination_unhealthy()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("erp", backend.Url) with
            {
                HealthCheck = new HealthCheckConfig
                {
                    AvailableDestinationsPolicy = "HealthyAndUnknown",
                    Passive = new PassiveHealthCheckConfig { Enabled = true, Policy = "TransportFailureRate" },
                },
            },
        });
        // The policy decides after ten requests.
        for (var i = 0; i < 20; i++)
            (await gateway.GetAsync("eve")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await gateway.GetAsync("ada")).ShouldBe((HttpStatusCode.OK, "ada"));
    }

    /// <summary>Starts a gateway with a transform of the host, which runs before that of the package.</summary>
    private static Task<DelegatedGateway> StartWithTransformAsync(
        TestRealm realm, KerberosBackend backend, Action<HttpRequestMessage> change) =>
        DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("erp", backend.Url),
            Services = services => services.AddSingleton<ITransformProvider>(new HostTransform(change)),
        });

    private sealed class HostTransform(Action<HttpRequestMessage> change) : ITransformProvider
    {
        public void Apply(TransformBuilderContext context) => context.AddRequestTransform(transform =>
        {
            change(transform.ProxyRequest);
            return ValueTask.CompletedTask;
        });

        public void ValidateRoute(TransformRouteValidationContext context)
        {
        }

        public void ValidateCluster(TransformClusterValidationContext context)
        {
        }
    }
}
