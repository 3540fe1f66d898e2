using System.Net;
using System.Net.Http.Headers;
using static KcdDelegation.Testing.Tests.TokenMaker;

namespace KcdDelegation.Testing.Tests;

public sealed class TestBackendTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static TestRealm StartRealm() => TestRealm.Start().User("ada").User("bob").Service("HTTP/app");

    private static async Task<HttpResponseMessage> GetAsync(HttpClient client, Uri url, byte[]? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Negotiate", Convert.ToBase64String(token));
        return await client.SendAsync(request, Stop);
    }

    [Fact]
    public async Task A_request_without_a_token_is_challenged_and_one_with_a_token_gets_the_name_of_its_user()
    {
        await using var realm = StartRealm();
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/app", cancellationToken: Stop);
        using var client = new HttpClient();
        using var challenged = await GetAsync(client, backend.Url);
        challenged.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        challenged.Headers.WwwAuthenticate.ToString().ShouldBe("Negotiate");
        using var greeted = await GetAsync(client, new Uri(backend.Url, "a?b"),
            CreateSpnego(CreateToken(realm.IssueTicket("ada", "HTTP/app"))));
        (await greeted.Content.ReadAsStringAsync(Stop)).ShouldBe("ada@CONTOSO.TEST");
        greeted.Headers.WwwAuthenticate.ShouldHaveSingleItem().Parameter.ShouldStartWith("o");
        backend.Requests.Select(request => (request.Path, request.User, request.HasAuthorization))
            .ShouldBe([("/", null, false), ("/a?b", "ada@CONTOSO.TEST", true)]);
    }

    [Fact]
    public async Task A_bad_token_is_refused_and_the_reason_is_recorded()
    {
        await using var realm = StartRealm();
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/app",
            new TestBackendOptions { Challenges = ["Negotiate", "NTLM"] }, Stop);
        using var client = new HttpClient();
        var token = CreateToken(realm.IssueTicket("ada", "HTTP/app"));
        using var first = await GetAsync(client, backend.Url, token);
        using var replayed = await GetAsync(client, backend.Url, token);
        replayed.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        replayed.Headers.WwwAuthenticate.Count.ShouldBe(2);
        backend.Requests[1].Refusal.ShouldNotBeNull().ShouldContain("KRB_AP_ERR_REPEAT");
    }

    [Fact]
    public async Task A_connection_bound_backend_keeps_the_first_user_of_a_connection()
    {
        await using var realm = StartRealm();
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/app", new TestBackendOptions { ConnectionBound = true }, Stop);
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1 });
        using var ada = await GetAsync(client, backend.Url, CreateToken(realm.IssueTicket("ada", "HTTP/app")));
        (await ada.Content.ReadAsStringAsync(Stop)).ShouldBe("ada@CONTOSO.TEST");
        using var bob = await GetAsync(client, backend.Url, CreateToken(realm.IssueTicket("bob", "HTTP/app")));
        (await bob.Content.ReadAsStringAsync(Stop)).ShouldBe("ada@CONTOSO.TEST");
    }

    [Fact]
    public async Task Tokens_can_be_bound_to_a_channel_with_https()
    {
        await using var realm = StartRealm();
        var options = new TestBackendOptions { Https = true,
            Acceptor = new TestAcceptorOptions { ChannelBinding = TestChannelBinding.Required } };
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/app", options, Stop);
        var certificate = backend.Certificate.ShouldNotBeNull();
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, presented, _, _) =>
                presented!.GetCertHashString().Equals(certificate.GetCertHashString(), StringComparison.Ordinal) },
        });
        byte[] channel = [.. "tls-server-end-point:"u8, .. System.Security.Cryptography.SHA256.HashData(certificate.RawData)];
        var ticket = realm.IssueTicket("ada", "HTTP/app");
        using var bound = await GetAsync(client, backend.Url, CreateToken(ticket, new(ChannelBinding: channel)));
        bound.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var unbound = await GetAsync(client, backend.Url, CreateToken(ticket));
        unbound.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Headers_over_the_limit_are_too_large()
    {
        await using var realm = StartRealm();
        realm.PacSize(12_000);
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/app", new TestBackendOptions { MaxHeaderBytes = 16_000 }, Stop);
        using var client = new HttpClient();
        using var response = await GetAsync(client, backend.Url, CreateToken(realm.IssueTicket("ada", "HTTP/app")));
        response.StatusCode.ShouldBe(HttpStatusCode.RequestHeaderFieldsTooLarge);
    }

    [Fact]
    public async Task A_custom_application_gets_the_authenticated_user()
    {
        await using var realm = StartRealm();
        var options = new TestBackendOptions
        {
            Application = context =>
            {
                context.Response.Headers["X-User"] = context.Features.Get<AcceptedIdentity>()!.SamAccountName;
                context.Response.StatusCode = 204;
                return Task.CompletedTask;
            },
        };
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/app", options, Stop);
        using var client = new HttpClient();
        using var response = await GetAsync(client, backend.Url, CreateToken(realm.IssueTicket("bob", "HTTP/app")));
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        response.Headers.GetValues("X-User").ShouldBe(["bob"]);
    }
}
