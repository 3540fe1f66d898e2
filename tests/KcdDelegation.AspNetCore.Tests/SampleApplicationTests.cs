using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>The web application of samples/WebApplication and docs/aspnetcore.md: what it does, and how short it is.</summary>
public sealed class SampleApplicationTests
{
    /// <summary>The lines of the program that <c>dotnet new web</c> creates.</summary>
    private const int TemplateLines = 4;

    [Fact]
    public async Task The_program_has_at_most_fifteen_lines_more_than_the_template()
    {
        var program = await File.ReadAllLinesAsync(ProgramPath, TestContext.Current.CancellationToken);

        program.Count(line => line.Trim().Length > 0).ShouldBeLessThanOrEqualTo(TemplateLines + 15);
    }

    [Fact]
    public async Task The_documentation_shows_the_program_as_it_is()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var page = await File.ReadAllTextAsync(Path.Combine(Root, "docs", "aspnetcore.md"), cancellation);

        page.ShouldContain((await File.ReadAllTextAsync(ProgramPath, cancellation)).Trim());
    }

    [Fact]
    public async Task It_serves_two_users_reloads_its_settings_signs_out_and_answers_both_problems()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var realm = TestRealm.Start("CONTOSO.TEST").User("ada").User("bob").User("eve", sensitive: true)
            .Account("GATEWAY$", mayDelegateTo: [Site.Service]).Service(Site.Service).Service("HTTP/other.contoso.test");
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: cancellation);
        await using var backend = await TestBackend.StartAsync(realm, Site.Service, cancellationToken: cancellation);
        await using var application = new Application(realm, issuer, backend);
        using var client = application.CreateClient();

        foreach (var user in (string[])["ada", "bob", "ada"])
            (await GetAsync(client, issuer, user, "/")).ShouldBe((HttpStatusCode.OK, $"{user}@CONTOSO.TEST"));
        (await GetAsync(client, issuer, null, "/")).Status.ShouldBe(HttpStatusCode.Unauthorized);

        (await GetAsync(client, issuer, "eve", "/", isBrowser: true)).Body.ShouldContain("You do not have permission");
        application.Set("Kcd:Applications:erp:ServicePrincipalName", "HTTP/other.contoso.test");
        (await GetAsync(client, issuer, "ada", "/", isBrowser: true)).Body.ShouldContain("is not set up correctly");
        application.Set("Kcd:Applications:erp:ServicePrincipalName", Site.Service);
        (await GetAsync(client, issuer, "ada", "/")).ShouldBe((HttpStatusCode.OK, "ada@CONTOSO.TEST"));

        realm.ClearTranscript();
        using var signOut = new HttpRequestMessage(HttpMethod.Post, "/sign-out");
        signOut.Headers.Authorization = new AuthenticationHeaderValue("Bearer", issuer.CreateToken("ada@contoso.test"));
        using var signedOut = await client.SendAsync(signOut, cancellation);
        signedOut.StatusCode.ShouldBe(HttpStatusCode.OK);
        await GetAsync(client, issuer, "ada", "/");
        realm.Transcript.ShouldContain($"PROXY ada>{Site.Service} ok");

        (await GetAsync(client, issuer, null, "/health/live")).ShouldBe((HttpStatusCode.OK, "Healthy"));
        (await GetAsync(client, issuer, null, "/health/ready")).ShouldBe((HttpStatusCode.OK, "Healthy"));
    }

    [Fact]
    public async Task Its_telemetry_reaches_a_collector()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var collector = await Collector.StartAsync();
        await using var realm = TestRealm.Start("CONTOSO.TEST").User("ada")
            .Account("GATEWAY$", mayDelegateTo: [Site.Service]).Service(Site.Service);
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: cancellation);
        await using var backend = await TestBackend.StartAsync(realm, Site.Service, cancellationToken: cancellation);
        var settings = CreateSettings(realm, issuer, backend);
        settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address;
        settings["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        settings["OTEL_METRIC_EXPORT_INTERVAL"] = "200";
        settings["OTEL_BSP_SCHEDULE_DELAY"] = "200";
        settings["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        using var process = Start(settings);
        try
        {
            using var client = new HttpClient { BaseAddress = await ReadAddressAsync(process) };
            (await GetAsync(client, issuer, "ada", "/")).ShouldBe((HttpStatusCode.OK, "ada@CONTOSO.TEST"));
            await collector.WaitForAsync("/v1/metrics", "kcd.ticket_cache.misses");
            await collector.WaitForAsync("/v1/traces", KcdTelemetry.KerberosName);
            collector.Received.Values.ShouldAllBe(text => !text.Contains("ada@", StringComparison.OrdinalIgnoreCase));
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "KcdDelegation.sln")))
                folder = folder.Parent ?? throw new InvalidOperationException("There is no KcdDelegation.sln above the tests.");
            return folder.FullName;
        }
    }

    private static string ProgramPath => Path.Combine(Root, "samples", "WebApplication", "Program.cs");

    private static async Task<(HttpStatusCode Status, string Body)> GetAsync(
        HttpClient client, TestIssuer issuer, string? user, string path, bool isBrowser = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (user is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", issuer.CreateToken($"{user}@contoso.test"));
        if (isBrowser)
            request.Headers.Add("Sec-Fetch-Mode", "navigate");
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static Dictionary<string, string?> CreateSettings(TestRealm realm, TestIssuer issuer, TestBackend backend)
    {
        var options = realm.CreateOptions("GATEWAY$", issuer);
        return new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Kcd:Realm"] = options.Realm,
            ["Kcd:Kdcs:0"] = options.Kdcs[0],
            ["Kcd:ServiceAccount:Name"] = options.ServiceAccount.Name,
            ["Kcd:ServiceAccount:Keytab"] = options.ServiceAccount.Keytab,
            ["Kcd:Token:Authority"] = options.Token.Authority,
            ["Kcd:Token:Audience"] = options.Token.Audience,
            ["Kcd:Token:TenantId"] = options.Token.TenantId,
            ["Kcd:Applications:erp:InternalUrl"] = backend.Url.AbsoluteUri,
            ["Kcd:Applications:erp:ServicePrincipalName"] = Site.Service,
            ["Kcd:Applications:erp:AllowPlainHttp"] = "true",
        };
    }

    /// <summary>Starts the sample as a program, as <c>dotnet run</c> does.</summary>
    private static Process Start(IReadOnlyDictionary<string, string?> settings)
    {
        // The configuration of this test: bin/CONFIGURATION/FRAMEWORK/.
        var output = Path.GetRelativePath(
            Path.Combine(Root, "tests", "KcdDelegation.AspNetCore.Tests"), AppContext.BaseDirectory);
        var folder = Path.Combine(Root, "samples", "WebApplication");
        var start = new ProcessStartInfo("dotnet", [Path.Combine(folder, output, "KcdDelegation.Samples.WebApplication.dll")])
        {
            UseShellExecute = false, RedirectStandardOutput = true, WorkingDirectory = folder,
        };
        foreach (var (key, value) in settings)
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        return Process.Start(start).ShouldNotBeNull();
    }

    private static async Task<Uri> ReadAddressAsync(Process process)
    {
        const string Prefix = "Now listening on: ";
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.IndexOf(Prefix, StringComparison.Ordinal) is >= 0 and var at)
            {
                // The rest is read too: a full pipe would block the program.
                _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return new Uri(line[(at + Prefix.Length)..].Trim());
            }
        }
        throw new InvalidOperationException("The sample ended before it listened.");
    }

    /// <summary>The sample, with the settings of the test services in its configuration.</summary>
    private sealed class Application : WebApplicationFactory<Program>
    {
        private readonly Settings _settings = new();

        public Application(TestRealm realm, TestIssuer issuer, TestBackend backend)
        {
            foreach (var (key, value) in CreateSettings(realm, issuer, backend))
                Set(key, value);
        }

        /// <summary>Changes a value, and reports the change to a running application.</summary>
        public void Set(string key, string? value) => _settings.Change(key, value);

        protected override void ConfigureWebHost(IWebHostBuilder builder) =>
            builder.UseEnvironment("Production").ConfigureAppConfiguration(configuration => configuration.Add(_settings))
                .ConfigureLogging(logging => logging.ClearProviders());
    }

    /// <summary>Settings that can change while the application runs.</summary>
    private sealed class Settings : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public void Change(string key, string? value)
        {
            Set(key, value);
            OnReload();
        }
    }

    /// <summary>A collector that accepts OTLP over HTTP.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication _application;
        private readonly Dictionary<string, string> _received = new(StringComparer.Ordinal);

        private Collector()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            _application = builder.Build();
            _application.Run(async context =>
            {
                using var reader = new StreamReader(context.Request.Body, Encoding.Latin1);
                var text = await reader.ReadToEndAsync(context.RequestAborted);
                lock (_received)
                    _received[context.Request.Path] = _received.GetValueOrDefault(context.Request.Path) + text;
            });
        }

        public string Address => _application.Urls.First();

        public IReadOnlyDictionary<string, string> Received
        {
            get
            {
                lock (_received)
                    return new Dictionary<string, string>(_received, StringComparer.Ordinal);
            }
        }

        public static async Task<Collector> StartAsync()
        {
            var collector = new Collector();
            await collector._application.StartAsync(TestContext.Current.CancellationToken);
            return collector;
        }

        public async Task WaitForAsync(string path, string text)
        {
            for (var attempt = 0; attempt < 200; attempt++)
            {
                if (Received.GetValueOrDefault(path)?.Contains(text, StringComparison.Ordinal) == true)
                    return;
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
            Received.GetValueOrDefault(path).ShouldNotBeNull().ShouldContain(text);
        }

        public ValueTask DisposeAsync() => _application.DisposeAsync();
    }
}
