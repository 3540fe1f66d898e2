using System.Net;
using System.Net.Http.Headers;
using KcdDelegation.Testing;

namespace KcdDelegation.Gateway.Tests.Applications;

public sealed class ForwardingTests
{
    [Fact]
    public async Task Each_user_is_seen_by_the_application_under_the_own_name()
    {
        await using var gateway = await TestGateway.StartAsync();

        for (var round = 0; round < 3; round++)
        {
            (await gateway.GetAsync("ada")).ShouldBe((HttpStatusCode.OK, "ada@CONTOSO.TEST"));
            (await gateway.GetAsync("bob")).ShouldBe((HttpStatusCode.OK, "bob@CONTOSO.TEST"));
        }

        gateway.Backend.Requests.Select(request => request.Refusal).ShouldAllBe(refusal => refusal == null);
    }

    [Fact]
    public async Task An_application_without_delegation_gets_the_request_without_the_credentials_of_the_gateway()
    {
        await using var gateway = await TestGateway.StartAsync();

        var answer = await gateway.GetAsync("ada", "https://wiki.contoso.test/page?x=1", request =>
            request.Headers.Add("Cookie", "__Host-kcd-session=secret; theme=dark"));

        answer.ShouldBe((HttpStatusCode.OK, "the wiki"));
        var received = gateway.Wiki.Received.ShouldHaveSingleItem();
        received.Path.ShouldBe("/page?x=1");
        received.Headers.Keys.ShouldNotContain("Authorization");
        received.Headers["Cookie"].ShouldBe("theme=dark");
    }

    [Theory]
    [InlineData("https://erp.contoso.test/")]
    [InlineData("https://wiki.contoso.test/")]
    public async Task No_application_is_reached_without_a_user(string url)
    {
        await using var gateway = await TestGateway.StartAsync();

        using var response = await gateway.SendAsync(user: null, url);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
        gateway.Backend.Requests.ShouldBeEmpty();
        gateway.Wiki.Received.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(TokenFlaw.Expired)]
    [InlineData(TokenFlaw.WrongAudience)]
    [InlineData(TokenFlaw.WrongIssuer)]
    [InlineData(TokenFlaw.OtherKey)]
    [InlineData(TokenFlaw.Guest)]
    public async Task A_token_that_the_library_refuses_reaches_no_application(TokenFlaw flaw)
    {
        await using var gateway = await TestGateway.StartAsync();

        foreach (var host in (string[])["erp", "wiki"])
        {
            using var response = await gateway.SendAsync(user: null, $"https://{host}.contoso.test/", request =>
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", gateway.Issuer.CreateBadToken(flaw)));

            response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer error=\"invalid_token\"");
        }

        gateway.Backend.Requests.ShouldBeEmpty();
        gateway.Wiki.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_remedy_of_a_refused_token_names_the_setting_of_the_provider()
    {
        await using var gateway = await TestGateway.StartAsync();

        using var response = await gateway.SendAsync(user: null, "https://erp.contoso.test/", request =>
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Bearer", gateway.Issuer.CreateBadToken(TokenFlaw.WrongAudience)));

        var refusal = gateway.Log.Find(1024).ShouldHaveSingleItem();
        refusal.ShouldContain("correct IdentityProviders:test:Token:Audience", Case.Sensitive);
        gateway.Log.Records.ShouldNotContain(record => record.Text.Contains("Kcd:Token", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_of_another_provider_is_not_accepted_at_an_application()
    {
        await using var gateway = await TestGateway.CreateAsync();
        await using var other = await TestIssuer.StartAsync(
            "99999999-2222-3333-4444-555555555555", cancellationToken: TestContext.Current.CancellationToken);
        gateway.Settings["IdentityProviders"]!["other"] = new System.Text.Json.Nodes.JsonObject
        {
            ["Token"] = new System.Text.Json.Nodes.JsonObject
            {
                ["Authority"] = other.Authority, ["Audience"] = TestIssuer.DefaultAudience, ["TenantId"] = other.TenantId,
            },
        };
        gateway.Settings["Applications"]!["erp"]!["IdentityProvider"] = "test";
        gateway.Settings["Applications"]!["wiki"]!["IdentityProvider"] = "other";
        await gateway.StartAsync();

        async Task<HttpStatusCode> SendAsync(TestIssuer issuer, string host) => (await gateway.GetAsync(
            user: null, $"https://{host}.contoso.test/", request => request.Headers.Authorization =
                new AuthenticationHeaderValue("Bearer", issuer.CreateToken("ada@contoso.test")))).Status;

        (await SendAsync(gateway.Issuer, "erp")).ShouldBe(HttpStatusCode.OK);
        (await SendAsync(other, "wiki")).ShouldBe(HttpStatusCode.OK);
        (await SendAsync(other, "erp")).ShouldBe(HttpStatusCode.Unauthorized);
        (await SendAsync(gateway.Issuer, "wiki")).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("https://other.contoso.test/")]
    [InlineData("https://erp.contoso.test.evil.test/")]
    [InlineData("https://erp.contoso.test:8443/")]
    [InlineData("https://erp/")]
    public async Task A_host_of_no_application_gets_the_page_without_any_name_of_an_application(string url)
    {
        await using var gateway = await TestGateway.StartAsync();

        var (status, body) = await gateway.GetAsync("ada", url, request => request.Headers.Add("Sec-Fetch-Mode", "navigate"));

        status.ShouldBe(HttpStatusCode.NotFound);
        body.ShouldContain("There is no such application here");
        body.ShouldNotContain("erp");
        gateway.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_program_gets_problem_details_for_an_unknown_host()
    {
        await using var gateway = await TestGateway.StartAsync();

        using var response = await gateway.SendAsync("ada", "https://other.contoso.test/");

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }

    [Fact]
    public async Task An_application_that_is_down_is_reported_and_not_the_sign_in()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.Wiki.DisposeAsync();

        var (status, body) = await gateway.GetAsync(
            "ada", "https://wiki.contoso.test/", request => request.Headers.Add("Sec-Fetch-Mode", "navigate"));

        status.ShouldBe(HttpStatusCode.BadGateway);
        body.ShouldContain("The application does not respond");
    }
}
