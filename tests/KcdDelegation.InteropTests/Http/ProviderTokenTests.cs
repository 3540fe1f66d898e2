using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.InteropTests;

/// <summary>Tokens of an OpenID provider that is not ours, validated by the library and delegated to a real KDC and Apache.</summary>
public sealed class ProviderTokenTests
{
    private static readonly LabRealm s_realm = LabRealm.Mit;
    private static readonly LabProvider s_provider = LabProvider.Mit;

    [Fact]
    public async Task Each_access_token_shows_the_backend_its_own_user_also_after_a_refresh()
    {
        Require();
        await using var application = new Application();
        using var http = application.CreateClient();
        var client = await s_provider.RegisterAsync();
        string[] users = ["alice", "bob"];
        var tokens = new Dictionary<string, LabTokens>(StringComparer.Ordinal);
        foreach (var user in users)
            tokens[user] = await s_provider.SignInAsync(client, user);

        for (var round = 0; round < 2; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
                (User: users[i % 2], Answer: await SendAsync(http, tokens[users[i % 2]].AccessToken))));
            foreach (var (user, (status, body)) in answers)
            {
                status.ShouldBe(HttpStatusCode.OK, body);
                body.ShouldContain($"REMOTE_USER={user}@MIT.TEST ");
            }
            foreach (var user in users)
                tokens[user] = await s_provider.RefreshAsync(client, tokens[user]);
        }
    }

    [Fact]
    public async Task An_ID_token_and_an_opaque_token_are_refused()
    {
        Require();
        await using var application = new Application();
        using var http = application.CreateClient();

        // Its ID token is for the client; a gateway must not accept it as an access token.
        (await SendAsync(http, (await s_provider.SignInAsync(await s_provider.RegisterAsync(), "alice")).IdToken))
            .Status.ShouldBe(HttpStatusCode.Unauthorized);
        var opaque = await s_provider.SignInAsync(await s_provider.RegisterAsync(resource: null), "alice", "openid");
        opaque.AccessToken.ShouldNotContain('.');
        (await SendAsync(http, opaque.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_access_token_for_another_resource_is_refused()
    {
        Require();
        await using var application = new Application();
        using var http = application.CreateClient();
        var tokens = await s_provider.SignInAsync(await s_provider.RegisterAsync("api://other"), "alice");

        (await SendAsync(http, tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_access_token_without_the_required_scope_is_refused()
    {
        Require();
        await using var application = new Application();
        using var http = application.CreateClient();
        var tokens = await s_provider.SignInAsync(await s_provider.RegisterAsync(), "alice", "openid write");

        (await SendAsync(http, tokens.AccessToken)).Status.ShouldBeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task An_access_token_of_another_provider_is_refused()
    {
        Require();
        await using var application = new Application();
        using var http = application.CreateClient();
        var tokens = await LabProvider.Ad.SignInAsync(await LabProvider.Ad.RegisterAsync(), "alice");

        (await SendAsync(http, tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_user_that_the_directory_does_not_know_is_refused_by_name()
    {
        Require();
        await using var application = new Application();
        using var http = application.CreateClient();
        var tokens = await s_provider.SignInAsync(await s_provider.RegisterAsync(), "unknown");

        (await SendAsync(http, tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    private static void Require()
    {
        s_realm.RequireWeb();
        Lab.Require("provider");
    }

    private static async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpClient http, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The program of samples/WebApplication with the provider as its only issuer.</summary>
    private sealed class Application : WebApplicationFactory<Program>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["Kcd:Realm"] = s_realm.Realm,
                ["Kcd:Kdcs:0"] = s_realm.Kdc.ToString(),
                ["Kcd:ServiceAccount:Name"] = s_realm.Connector,
                ["Kcd:ServiceAccount:Keytab"] = s_realm.Keytab("connector"),
                ["Kcd:Token:Authority"] = s_provider.Authority,
                ["Kcd:Token:Audience"] = LabProvider.Resource,
                ["Kcd:Token:TenantId"] = s_provider.TenantId,
                ["Kcd:Token:RequiredScopes:0"] = "read",
                ["Kcd:Applications:erp:InternalUrl"] =
                    new UriBuilder(s_realm.WebTls("spnego/")) { Host = $"web.{s_realm.Domain}" }.ToString(),
                ["Kcd:Applications:erp:ServicePrincipalName"] = s_realm.Spn("web"),
                ["Kcd:Applications:erp:MutualAuthentication"] = "Required",
            };
            builder.ConfigureAppConfiguration(configuration => configuration.AddInMemoryCollection(settings));
            builder.ConfigureTestServices(services => services.AddHttpClient("erp").AddKcdDelegation("erp", LabApplication.Configure));
        }
    }
}
