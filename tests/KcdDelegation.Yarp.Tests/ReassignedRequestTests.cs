using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Tests requests that the host moves to another cluster than the one of their route, with
/// <c>ReassignProxyRequest</c>.</summary>
public sealed class ReassignedRequestTests
{
    [Theory]
    [InlineData("erp", "erp", HttpStatusCode.OK, "ada")]
    [InlineData("erp", "crm", HttpStatusCode.OK, "ada")]
    [InlineData("erp", null, HttpStatusCode.Unauthorized, null)]
    [InlineData(null, null, HttpStatusCode.Unauthorized, null)]
    public async Task The_new_cluster_decides_whether_and_for_which_application_a_ticket_is_sent(
        string? application, string? other, HttpStatusCode status, string? user)
    {
        var (answered, received) = await ReassignAsync(application, other);
        answered.ShouldBe(status);
        var request = received.ShouldHaveSingleItem();
        request.User.ShouldBe(user);
        request.Headers.ContainsKey("Authorization").ShouldBe(user is not null);
    }

    [Fact]
    public async Task A_delegated_cluster_does_not_serve_requests_of_a_route_without_delegation()
    {
        var (answered, received) = await ReassignAsync(null, "erp");
        answered.ShouldBe(HttpStatusCode.ServiceUnavailable);
        received.ShouldBeEmpty();
    }

    /// <summary>Sends a request to the cluster of its route, and moves it to another one.</summary>
    /// <returns>The status, and what the backend of the other cluster received.</returns>
    private static async Task<(HttpStatusCode Status, IReadOnlyList<ReceivedRequest> Received)> ReassignAsync(
        string? application, string? otherApplication)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var other = await KerberosBackend.StartAsync(
            realm, otherApplication == "crm" ? DelegatedGateway.Crm : DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster(application, backend.Url),
            OtherClusters = [DelegatedGateway.CreateCluster(otherApplication, other.Url) with { ClusterId = "other" }],
            Pipeline = pipeline =>
            {
                pipeline.Use((context, next) =>
                {
                    context.RequestServices.GetRequiredService<IProxyStateLookup>().TryGetCluster("other", out var cluster).ShouldBeTrue();
                    context.ReassignProxyRequest(cluster);
                    return next(context);
                });
                pipeline.UseLoadBalancing();
            },
        });
        var (status, _) = await gateway.GetAsync("ada");
        backend.Received.ShouldBeEmpty();
        return (status, [.. other.Received]);
    }
}
