using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using KcdDelegation.Gateway.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.Gateway.Tests.Hosting;

public sealed class ListenerTests
{
    [Fact]
    public async Task A_replaced_certificate_is_used_by_the_next_connection()
    {
        await using var gateway = await TestGateway.StartAsync();
        (await GetCertificateAsync(gateway)).ShouldBe("CN=first");

        gateway.WriteCertificate("CN=second");
        gateway.Services.GetRequiredService<ServerCertificates>().Refresh();

        (await GetCertificateAsync(gateway)).ShouldBe("CN=second");
        gateway.Log.Find(6005).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_read_leaves_the_last_one_in_force()
    {
        await using var gateway = await TestGateway.StartAsync();
        var certificates = gateway.Services.GetRequiredService<ServerCertificates>();

        await File.WriteAllTextAsync(gateway.KeyPath, "not a key", TestContext.Current.CancellationToken);
        certificates.Refresh();
        certificates.Refresh();

        (await GetCertificateAsync(gateway)).ShouldBe("CN=first");
        gateway.Log.Find(6006).ShouldHaveSingleItem();

        gateway.WriteCertificate("CN=third");
        certificates.Refresh();
        (await GetCertificateAsync(gateway)).ShouldBe("CN=third");
    }

    [Fact]
    public async Task A_replaced_certificate_is_found_without_a_signal()
    {
        await using var gateway = await TestGateway.StartAsync();

        gateway.WriteCertificate("CN=second");

        for (var i = 0; i < 100 && await GetCertificateAsync(gateway) != "CN=second"; i++)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        (await GetCertificateAsync(gateway)).ShouldBe("CN=second");
    }

    [Fact]
    public async Task An_http_address_starts_without_a_warning_of_Kestrel()
    {
        await using var gateway = await TestGateway.StartAsync(settings =>
            settings["Listener"]!["Urls"]!.AsArray().Add((JsonNode)$"http://127.0.0.1:{FreePort.Find()}"));

        gateway.Log.Records.ShouldNotContain(record => record.Text.Contains("HTTP/2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_address_is_added_and_removed_without_a_restart()
    {
        await using var gateway = await TestGateway.StartAsync();
        var port = FreePort.Find();

        gateway.Settings["Listener"]!["Urls"] = new JsonArray("https://127.0.0.1:0", $"https://127.0.0.1:{port}");
        gateway.Reload().ShouldBeTrue();
        await EventuallyAsync(async () => await GetAsync(gateway, port) == HttpStatusCode.OK);

        gateway.Settings["Listener"]!["Urls"] = new JsonArray("https://127.0.0.1:0");
        gateway.Reload().ShouldBeTrue();
        await EventuallyAsync(async () => await GetAsync(gateway, port) is null);
        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_health_of_the_gateway_is_answered_at_its_own_address()
    {
        await using var gateway = await TestGateway.StartAsync();

        (await gateway.GetAsync(user: null, "https://127.0.0.1/health/live")).ShouldBe((HttpStatusCode.OK, "Healthy\n"));
        (await gateway.GetAsync(user: null, "https://127.0.0.1/health/ready")).ShouldBe((HttpStatusCode.OK, "Healthy\n"));
        (await gateway.GetAsync(user: null, "https://127.0.0.1/health/other")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_gateway_without_a_directory_is_alive_and_not_ready()
    {
        await using var gateway = await TestGateway.StartAsync(settings => settings["Kcd"]!["Kdcs"] = new JsonArray("127.0.0.1:9"));

        (await gateway.GetAsync(user: null, "https://127.0.0.1/health/live")).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync(user: null, "https://127.0.0.1/health/ready")).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_stop_fails_the_readiness_first_and_ends_the_requests_that_run()
    {
        using var release = new SemaphoreSlim(0);
        using var entered = new SemaphoreSlim(0);
        await using var gateway = await TestGateway.StartAsync(
            settings => settings["Listener"]!["Limits"]!["DrainDelay"] = "00:00:02",
            wiki: async context =>
            {
                if (context.Request.Path == "/slow")
                {
                    entered.Release();
                    await release.WaitAsync(context.RequestAborted);
                }
                await context.Response.WriteAsync("complete", context.RequestAborted);
            });
        var running = gateway.GetAsync("ada", "https://wiki.contoso.test/slow");
        await entered.WaitAsync(TestContext.Current.CancellationToken);
        var port = gateway.Port;

        var stop = gateway.StopAsync();
        await EventuallyAsync(async () =>
            (await gateway.GetAsync(user: null, "https://127.0.0.1/health/ready")).Status == HttpStatusCode.ServiceUnavailable);
        (await gateway.GetAsync("bob", "https://wiki.contoso.test/")).ShouldBe((HttpStatusCode.OK, "complete"));
        await EventuallyAsync(async () => await GetAsync(gateway, port) is null);
        release.Release();

        (await running).ShouldBe((HttpStatusCode.OK, "complete"));
        await stop;
        gateway.Log.Find(6020).ShouldHaveSingleItem();
    }

    private static async Task<string?> GetCertificateAsync(TestGateway gateway)
    {
        await using var stream = await gateway.ConnectAsync();
        using var certificate = new X509Certificate2(stream.RemoteCertificate!);
        return certificate.Subject;
    }

    private static async Task<HttpStatusCode?> GetAsync(TestGateway gateway, int port)
    {
        try
        {
            using var response = await gateway.CreateClient(port).GetAsync(
                new Uri("https://127.0.0.1/health/live"), TestContext.Current.CancellationToken);
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 100 && !await condition(); i++)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        (await condition()).ShouldBeTrue();
    }
}
