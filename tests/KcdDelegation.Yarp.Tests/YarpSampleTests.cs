using System.Net;
using System.Net.Http.Headers;
using KcdDelegation.InteropTests;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Yarp.Tests;

/// <summary>The gateway of samples/YarpGateway and docs/yarp.md: what it does, and how short it is.</summary>
public sealed class YarpSampleTests
{
    /// <summary>The lines of the program that <c>dotnet new web</c> creates.</summary>
    private const int TemplateLines = 4;

    [Fact]
    public async Task The_program_has_at_most_ten_lines_more_than_the_template()
    {
        var program = await File.ReadAllLinesAsync(ProgramPath, TestContext.Current.CancellationToken);

        program.Count(line => line.Trim().Length > 0).ShouldBeLessThanOrEqualTo(TemplateLines + 10);
    }

    [Fact]
    public async Task The_documentation_shows_the_program_as_it_is()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var page = await File.ReadAllTextAsync(Path.Combine(Root, "docs", "yarp.md"), cancellation);

        page.ShouldContain((await File.ReadAllTextAsync(ProgramPath, cancellation)).Trim());
    }

    [Fact]
    public async Task It_serves_two_users_from_two_servers_and_refuses_the_others()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var first = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var second = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        var options = realm.CreateOptions("gateway", issuer);
        await using var gateway = new Gateway(issuer, DelegatedGateway.TrustTestCertificates, new(StringComparer.Ordinal)
        {
            ["Kcd:Realm"] = options.Realm,
            ["Kcd:Kdcs:0"] = options.Kdcs[0],
            ["Kcd:ServiceAccount:Name"] = options.ServiceAccount.Name,
            ["Kcd:ServiceAccount:Keytab"] = options.ServiceAccount.Keytab,
            ["Kcd:Applications:erp:ServicePrincipalName"] = DelegatedGateway.Erp,
            ["ReverseProxy:Clusters:erp:Destinations:erp1:Address"] = first.Url.AbsoluteUri,
            ["ReverseProxy:Clusters:erp:Destinations:erp2:Address"] = second.Url.AbsoluteUri,
        });
        for (var i = 0; i < 20; i++)
        {
            foreach (var user in (string[])["ada", "bob"])
                (await gateway.GetAsync($"{user}@contoso.test", "/orders")).ShouldBe((HttpStatusCode.OK, user));
        }
        first.Received.ShouldNotBeEmpty();
        second.Received.ShouldNotBeEmpty();
        var received = first.Received.Count + second.Received.Count;
        (await gateway.GetAsync(null, "/orders")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await gateway.GetAsync("eve@contoso.test", "/orders")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (first.Received.Count + second.Received.Count).ShouldBe(received);
        (await gateway.GetAsync(null, "/health/ready")).ShouldBe((HttpStatusCode.OK, "Healthy"));
    }

    [Theory]
    [InlineData("mit")]
    [InlineData("samba")]
    [InlineData("samba22")]
    public async Task It_serves_the_users_of_the_lab_from_its_Apache_which_proves_itself(string part)
    {
        Lab.Require(part, "web");
        var realm = LabRealm.Get(part);
        await ServeUsersAsync(realm, realm.WebTls("spnego/"), "/spnego/", new(StringComparer.Ordinal)
        {
            ["Kcd:Applications:erp:TokenFormat"] = nameof(TokenFormat.Spnego),
            ["Kcd:Applications:erp:MutualAuthentication"] = nameof(MutualAuthentication.Required),
        });
    }

    /// <summary>nginx's module sends no AP-REP, and the lab's nginx has no certificate.</summary>
    [Theory]
    [InlineData("mit")]
    [InlineData("samba22")]
    public async Task It_serves_the_users_of_the_lab_from_its_nginx(string part)
    {
        Lab.Require(part, "nginx");
        await ServeUsersAsync(
            LabRealm.Get(part), part == "mit" ? LabWeb.Nginx : LabWeb.NginxOfAd22, "/", new(StringComparer.Ordinal)
            {
                ["Kcd:Applications:erp:TokenFormat"] = nameof(TokenFormat.Spnego),
                ["Kcd:Applications:erp:AllowPlainHttp"] = "true",
            });
    }

    /// <summary>Sends requests of two users, in turn, through the gateway to two destinations.</summary>
    private static async Task ServeUsersAsync(LabRealm realm, Uri server, string path, Dictionary<string, string?> settings)
    {
        var backend = new UriBuilder(server) { Host = $"web.{realm.Domain}", Path = "/" }.Uri.AbsoluteUri;
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var gateway = new Gateway(issuer, LabApacheTests.Configure, new(settings, StringComparer.Ordinal)
        {
            ["Kcd:Realm"] = realm.Realm,
            ["Kcd:Kdcs:0"] = realm.Kdc.ToString(),
            ["Kcd:ServiceAccount:Name"] = realm.Connector,
            ["Kcd:ServiceAccount:Keytab"] = realm.Keytab("connector"),
            ["Kcd:Applications:erp:ServicePrincipalName"] = realm.Spn("web"),
            ["ReverseProxy:Clusters:erp:Destinations:erp1:Address"] = backend,
            ["ReverseProxy:Clusters:erp:Destinations:erp2:Address"] = backend,
        });
        for (var round = 0; round < 3; round++)
        {
            foreach (var user in (string[])["alice", "bob"])
            {
                using var response = await gateway.SendAsync($"{user}@{realm.Domain}", path);
                response.StatusCode.ShouldBe(HttpStatusCode.OK);
                var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                // nginx has the user in a field of the response.
                var seen = response.Headers.TryGetValues("X-Remote-User", out var users) ? string.Join(' ', users) : body;
                seen.ShouldContain(user, Case.Insensitive);
                seen.ShouldNotContain(user == "alice" ? "bob" : "alice", Case.Insensitive);
                response.Headers.Contains("WWW-Authenticate").ShouldBeFalse();
            }
        }
        using var anonymous = await gateway.SendAsync(null, path);
        anonymous.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
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

    private static string ProgramPath => Path.Combine(Root, "samples", "YarpGateway", "Program.cs");

    /// <summary>The sample, with the settings of a test.</summary>
    private sealed class Gateway(TestIssuer issuer, Action<SocketsHttpHandler> configure, Dictionary<string, string?> settings)
        : WebApplicationFactory<Program>
    {
        public async Task<(HttpStatusCode Status, string Body)> GetAsync(string? user, string path)
        {
            using var response = await SendAsync(user, path);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        public async Task<HttpResponseMessage> SendAsync(string? user, string path)
        {
            using var client = CreateClient();
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (user is not null)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", issuer.CreateToken(user));
            return await client.SendAsync(request, TestContext.Current.CancellationToken);
        }

        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            settings["Kcd:Token:Authority"] = issuer.Authority;
            settings["Kcd:Token:Audience"] = TestIssuer.DefaultAudience;
            settings["Kcd:Token:TenantId"] = issuer.TenantId;
            builder.UseEnvironment("Production")
                .ConfigureAppConfiguration(configuration => configuration.AddInMemoryCollection(settings))
                .ConfigureLogging(logging => logging.ClearProviders())
                .ConfigureTestServices(services => services.Configure<KcdReverseProxyOptions>(
                    options => options.ConfigureClient = (_, handler) => configure(handler)));
        }
    }
}
