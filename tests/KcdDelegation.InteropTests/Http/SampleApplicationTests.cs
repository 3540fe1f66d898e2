using System.Net;
using System.Net.Http.Headers;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.InteropTests;

/// <summary>The program of samples/WebApplication with real KDCs: with Apache over https, which proves itself, and with nginx.</summary>
public sealed class SampleApplicationTests
{
    [Theory]
    [InlineData("mit")]
    [InlineData("samba")]
    [InlineData("samba22")]
    public Task The_sample_serves_two_users_signs_out_answers_errors_and_reports_its_health(string part)
    {
        var realm = LabRealm.Get(part);
        realm.RequireWeb();
        return ServeAsync(realm, realm.WebTls("spnego/"), new(StringComparer.Ordinal)
        {
            ["Kcd:Applications:erp:MutualAuthentication"] = "Required",
        });
    }

    /// <summary>nginx's module sends no AP-REP, and the lab's nginx has no certificate.</summary>
    [Theory]
    [InlineData("mit")]
    [InlineData("samba22")]
    public Task The_sample_does_the_same_with_nginx(string part)
    {
        Lab.Require(part, "nginx");
        return ServeAsync(
            LabRealm.Get(part), part == "mit" ? LabWeb.Nginx : LabWeb.NginxOfAd22,
            new(StringComparer.Ordinal) { ["Kcd:Applications:erp:AllowPlainHttp"] = "true" });
    }

    private static async Task ServeAsync(LabRealm realm, Uri backend, Dictionary<string, string?> settings)
    {
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var application = new Application(realm, issuer, backend, settings);
        using var client = application.CreateClient();
        async Task<(HttpStatusCode Status, string Body)> SendAsync(string path, string? user, HttpMethod? method = null)
        {
            using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
            if (user is not null)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", issuer.CreateToken($"{user}@{realm.Domain}"));
            request.Headers.Add("Sec-Fetch-Mode", "navigate");
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        foreach (var user in (string[])["alice", "bob", "alice"])
        {
            var (status, body) = await SendAsync("/", user);
            status.ShouldBe(HttpStatusCode.OK, body);
            (application.LastRemoteUser ?? body).ShouldContain(user, Case.Insensitive);
        }
        (await SendAsync("/", null)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        var refused = await SendAsync("/", "sensitive");
        refused.Status.ShouldBe(HttpStatusCode.Forbidden);
        refused.Body.ShouldContain("<h1>");
        (await SendAsync("/sign-out", "alice", HttpMethod.Post)).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync("/", "alice")).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync("/health/live", null)).ShouldBe((HttpStatusCode.OK, "Healthy"));
        (await SendAsync("/health/ready", null)).ShouldBe((HttpStatusCode.OK, "Healthy"));
    }

    /// <summary>The sample with the settings of a realm. The names of the lab's web servers are in no DNS, so its handler is
    /// changed.</summary>
    private sealed class Application(LabRealm realm, TestIssuer issuer, Uri backend, Dictionary<string, string?> settings)
        : WebApplicationFactory<Program>
    {
        /// <summary>Gets the user that nginx has put into its last response. Apache has it in the body.</summary>
        public string? LastRemoteUser { get; private set; }

        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            var all = new Dictionary<string, string?>(settings, StringComparer.Ordinal)
            {
                ["Kcd:Realm"] = realm.Realm,
                ["Kcd:Kdcs:0"] = realm.Kdc.ToString(),
                ["Kcd:ServiceAccount:Name"] = realm.Connector,
                ["Kcd:ServiceAccount:Keytab"] = realm.Keytab("connector"),
                ["Kcd:Token:Authority"] = issuer.Authority,
                ["Kcd:Token:Audience"] = TestIssuer.DefaultAudience,
                ["Kcd:Token:TenantId"] = issuer.TenantId,
                ["Kcd:Applications:erp:InternalUrl"] = new UriBuilder(backend) { Host = $"web.{realm.Domain}" }.ToString(),
                ["Kcd:Applications:erp:ServicePrincipalName"] = realm.Spn("web"),
            };
            builder.ConfigureAppConfiguration(configuration => configuration.AddInMemoryCollection(all));
            builder.ConfigureTestServices(services => services.AddHttpClient("erp")
                .AddKcdDelegation("erp", LabApplication.Configure)
                .AddHttpMessageHandler(() => new RemoteUserReader(user => LastRemoteUser = user)));
        }
    }

    private sealed class RemoteUserReader(Action<string?> report) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            report(response.Headers.TryGetValues("X-Remote-User", out var users) ? string.Join(' ', users) : null);
            return response;
        }
    }
}
