using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
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
