using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using KcdDelegation.Gateway.Tests.SignIn;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Tests.Hosting;

public sealed class OperationTests
{
    [Fact]
    public async Task Each_decision_is_one_JSON_line_of_the_audit_without_a_token()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var path = Path.Combine(Path.GetDirectoryName(gateway.SettingsPath)!, "audit.jsonl");
        gateway.Settings["Operation"] = new System.Text.Json.Nodes.JsonObject { ["AuditFile"] = path };
        gateway.Settings["Applications"]!["wiki"]!["RequiredGroups"] = new System.Text.Json.Nodes.JsonArray("g1");
        await gateway.StartAsync();

        await gateway.GetAsync("ada");
        File.Move(path, path + ".1");
        await gateway.GetAsync("ada", "https://wiki.contoso.test/");
        await gateway.GetAsync(user: null, change: request => request.Headers.TryAddWithoutValidation(
            "Authorization", $"Bearer {gateway.Issuer.CreateBadToken(KcdDelegation.Testing.TokenFlaw.Expired)}"));

        var lines = await File.ReadAllLinesAsync(path + ".1", TestContext.Current.CancellationToken);
        var later = await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken);
        var all = lines.Concat(later).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        int[] decisions = [24029, 6010, 1020];
        var decided = all.Where(entry => decisions.Contains(entry.GetProperty("event").GetInt32())).ToList();
        decided.Select(entry => entry.GetProperty("event").GetInt32()).ShouldBe(decisions);
        all.Single(entry => entry.GetProperty("event").GetInt32() == 24029).GetProperty("message").GetString()!.ShouldContain("ada");
        decided.ShouldAllBe(entry => entry.GetProperty("activityId").GetString()!.Length == 32);
        string.Concat(lines.Concat(later)).ShouldNotContain("eyJ", Case.Sensitive);
        later.Length.ShouldBe(2);
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_sign_in_that_the_provider_refuses_is_in_the_audit_with_both_identifiers()
    {
        var folder = Directory.CreateTempSubdirectory("kcd-audit-");
        var path = Path.Combine(folder.FullName, "audit.jsonl");
        const string Id = "11111111-2222-3333-4444-555555555555";
        await using (var site = await SignInSite.StartAsync(settings =>
            settings["Operation"] = new System.Text.Json.Nodes.JsonObject { ["AuditFile"] = path }))
        {
            var browser = site.CreateBrowser();
            var request = await browser.NavigateAsync(SignInSite.Erp);
            var answer = site.Provider.Authorize(request.Location!, parameters =>
            {
                parameters.Remove("code");
                parameters["error"] = "access_denied";
                parameters["error_description"] = $"AADSTS50105: not assigned. Correlation ID: {Id} Timestamp: now";
            });
            await browser.NavigateAsync(answer.AbsoluteUri);
        }

        var lines = await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken);
        folder.Delete(recursive: true);
        var entry = lines.Select(line => JsonDocument.Parse(line).RootElement)
            .Single(line => line.GetProperty("event").GetInt32() == 6051);
        var fields = entry.GetProperty("fields");
        fields.GetProperty("CorrelationId").GetString().ShouldBe(Id);
        fields.GetProperty("ActivityId").GetString().ShouldBe(entry.GetProperty("activityId").GetString());
    }

    [Fact]
    public async Task Prometheus_gets_the_metrics_at_a_listener_of_its_own()
    {
        var port = FreePort.Find();
        await using var gateway = await TestGateway.StartAsync(settings =>
            settings["Operation"] = new System.Text.Json.Nodes.JsonObject { ["Prometheus"] = $"http://127.0.0.1:{port}" });
        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.OK);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        var metrics = await client.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        metrics.ShouldContain("kcd_");
        metrics.ShouldContain("http_server_request_duration");
        metrics.ShouldNotMatch(@"\bada\b");

        // The listener has nothing else, also for the host of an application.
        foreach (var path in (string[])["/", "/health/live", "/metrics/", "/.kcd/sign-in"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Host = "erp.contoso.test";
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            response.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
        }
        // The listener of clients does not have it.
        (await gateway.GetAsync(user: null, "https://erp.contoso.test/metrics")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var other = await gateway.GetAsync(user: null, "https://127.0.0.1/metrics");
        (other.Status, other.Body.Contains("kcd_", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.NotFound, false));
    }

    [Theory]
    [InlineData("https://127.0.0.1:9464")]
    [InlineData("http://metrics.contoso.test:9464")]
    [InlineData("http://127.0.0.1:9464/metrics")]
    [InlineData("127.0.0.1:9464")]
    public async Task An_address_for_Prometheus_that_is_none_is_an_error(string address)
    {
        await using var gateway = await TestGateway.CreateAsync();
        gateway.Settings["Operation"] = new System.Text.Json.Nodes.JsonObject { ["Prometheus"] = address };

        (await Should.ThrowAsync<KcdDelegation.Gateway.Settings.GatewaySettingsException>(() => gateway.StartAsync()))
            .Message.ShouldContain("Operation:Prometheus");
    }

    [Fact]
    public async Task The_address_for_Prometheus_is_not_one_of_clients()
    {
        await using var gateway = await TestGateway.CreateAsync();
        gateway.Settings["Listener"]!["Urls"] = new System.Text.Json.Nodes.JsonArray("https://127.0.0.1:8443");
        gateway.Settings["Operation"] = new System.Text.Json.Nodes.JsonObject { ["Prometheus"] = "http://127.0.0.1:8443" };

        (await Should.ThrowAsync<KcdDelegation.Gateway.Settings.GatewaySettingsException>(() => gateway.StartAsync()))
            .Message.ShouldContain("has a port of Listener:Urls");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_log_reaches_the_collector_if_the_settings_say_so(bool isSent)
    {
        await using var collector = await Collector.StartAsync();
        await using (var gateway = await TestGateway.StartAsync(settings => settings["Operation"] =
            new System.Text.Json.Nodes.JsonObject { ["Otlp"] = collector.Url, ["OtlpLogs"] = isSent }))
        {
            (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.OK);
            await gateway.StopAsync();
        }

        collector.Paths.Contains("/opentelemetry.proto.collector.logs.v1.LogsService/Export").ShouldBe(isSent);
    }

    [Fact]
    public async Task Metrics_and_traces_reach_the_collector()
    {
        await using var collector = await Collector.StartAsync();
        await using (var gateway = await TestGateway.StartAsync(settings =>
            settings["Operation"] = new System.Text.Json.Nodes.JsonObject { ["Otlp"] = collector.Url }))
        {
            (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.OK);
            await gateway.StopAsync();
        }

        collector.Paths.ShouldContain("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");
        collector.Paths.ShouldContain("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    }

    [Fact]
    public async Task The_readiness_asks_for_a_ticket_of_the_probe_user()
    {
        await using var gateway = await TestGateway.StartAsync(settings =>
            settings["Operation"] = new System.Text.Json.Nodes.JsonObject { ["ProbeUser"] = "absent" });

        (await gateway.GetAsync(user: null, "https://127.0.0.1/health/ready")).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        gateway.Log.Find(5020).ShouldHaveSingleItem().ShouldContain("erp");
    }

    /// <summary>A collector of OTLP that records which services are called.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication _application;

        private Collector()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel =>
                kestrel.Listen(IPAddress.Loopback, 0, static endpoint => endpoint.Protocols = HttpProtocols.Http2));
            _application = builder.Build();
            _application.Run(context =>
            {
                Paths.Enqueue(context.Request.Path);
                return Task.CompletedTask;
            });
        }

        public ConcurrentQueue<string> Paths { get; } = new();

        public string Url => _application.Urls.First();

        public static async Task<Collector> StartAsync()
        {
            var collector = new Collector();
            await collector._application.StartAsync(TestContext.Current.CancellationToken);
            return collector;
        }

        public ValueTask DisposeAsync() => _application.DisposeAsync();
    }
}
