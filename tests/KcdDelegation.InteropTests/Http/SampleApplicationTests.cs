using System.Net;
using System.Net.Http.Headers;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.InteropTests;

/// <summary>The program of samples/WebApplication with a real KDC and Apache over https, with mutual authentication.</summary>
public sealed class SampleApplicationTests
{
    [Theory]
    [InlineData("mit")]
    [InlineData("samba")]
    public async Task The_sample_serves_two_users_signs_out_answers_errors_and_reports_its_health(string part)
    {
        var realm = LabRealm.Get(part);
        realm.RequireWeb();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var application = new Application(realm, issuer);
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
            body.ShouldContain(user, Case.Insensitive);
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
    private sealed class Application(LabRealm realm, TestIssuer issuer) : WebApplicationFactory<Program>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["Kcd:Realm"] = realm.Realm,
                ["Kcd:Kdcs:0"] = realm.Kdc.ToString(),
                ["Kcd:ServiceAccount:Name"] = realm.Connector,
                ["Kcd:ServiceAccount:Keytab"] = realm.Keytab("connector"),
                ["Kcd:Token:Authority"] = issuer.Authority,
                ["Kcd:Token:Audience"] = TestIssuer.DefaultAudience,
                ["Kcd:Token:TenantId"] = issuer.TenantId,
                ["Kcd:Applications:erp:InternalUrl"] = new UriBuilder(realm.WebTls("spnego/")) { Host = $"web.{realm.Domain}" }.ToString(),
                ["Kcd:Applications:erp:ServicePrincipalName"] = realm.Spn("web"),
                ["Kcd:Applications:erp:MutualAuthentication"] = "Required",
            };
            builder.ConfigureAppConfiguration(configuration => configuration.AddInMemoryCollection(settings));
            builder.ConfigureTestServices(services => services.AddHttpClient("erp").AddKcdDelegation("erp", LabApplication.Configure));
        }
    }
}
