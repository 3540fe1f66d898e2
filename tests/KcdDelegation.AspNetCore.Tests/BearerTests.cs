using System.Net;
using System.Net.Http.Headers;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>The bearer scheme: the library's validation behind ordinary authentication and authorization, with the challenges of
/// RFC 6750.</summary>
public sealed class BearerTests
{
    public static TheoryData<TokenFlaw> Flaws => [.. Enum.GetValues<TokenFlaw>()];

    [Fact]
    public async Task A_request_without_a_token_gets_a_challenge_without_an_error_code()
    {
        await using var site = await Site.StartAsync();
        using var response = await site.SendAsync(null, "/orders");

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
    }

    [Theory]
    [MemberData(nameof(Flaws))]
    public async Task A_token_that_is_not_accepted_gets_invalid_token_without_detail(TokenFlaw flaw)
    {
        await using var site = await Site.StartAsync();
        var token = site.Issuer.CreateBadToken(flaw, "ada@contoso.test");
        using var response = await site.SendAsync(
            null, "/orders", request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token));

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer error=\"invalid_token\"");
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBeEmpty();
        site.Backend.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer a b")]
    [InlineData("Bearer a, Bearer b")]
    [InlineData("Bearer \"a\"")]
    [InlineData("Bearer not-a-token")]
    public async Task A_malformed_token_gets_invalid_token(string value)
    {
        await using var site = await Site.StartAsync();
        using var response = await site.SendAsync(
            null, "/orders", request => request.Headers.TryAddWithoutValidation("Authorization", value));

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer error=\"invalid_token\"");
    }

    [Theory]
    [InlineData("Basic YWRhOnB3")]
    [InlineData("Bearerx abc")]
    [InlineData("Negotiate YII")]
    public async Task Another_scheme_is_no_token(string value)
    {
        await using var site = await Site.StartAsync();
        using var response = await site.SendAsync(
            null, "/orders", request => request.Headers.TryAddWithoutValidation("Authorization", value));

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
    }

    [Fact]
    public async Task Two_authorization_headers_are_refused_even_if_one_token_is_valid()
    {
        await using var site = await Site.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/orders");
        var answer = await RawHttp.SendAsync(
            site.Address,
            $"GET /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {site.CreateToken("ada")}\r\n"
                + $"Authorization: Bearer {site.CreateToken("bob")}\r\n\r\n");

        answer.ShouldStartWith("HTTP/1.1 400 ");
        answer.ShouldContain("WWW-Authenticate: Bearer error=\"invalid_request\"\r\n");
        site.Backend.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("bearer")]
    [InlineData("BEARER")]
    public async Task The_scheme_is_not_case_sensitive(string scheme)
    {
        await using var site = await Site.StartAsync();
        using var response = await site.SendAsync(
            null, "/orders", request => request.Headers.Authorization = new AuthenticationHeaderValue(scheme, site.CreateToken("ada")));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_scope_that_the_token_lacks_is_answered_with_insufficient_scope()
    {
        await using var site = await Site.StartAsync(MapScopes);

        (await site.GetTextAsync("ada", "/read")).ShouldBe("read");
        using var response = await site.SendAsync("ada", "/write");
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer error=\"insufficient_scope\"");
    }

    [Fact]
    public async Task Each_scope_of_the_token_counts_and_no_part_of_one()
    {
        await using var site = await Site.StartAsync(MapScopes);
        var scopes = new Dictionary<string, object?>(StringComparer.Ordinal) { ["scp"] = "write.all access_as_user" };
        var token = site.Issuer.CreateToken("ada@contoso.test", scopes);
        void Authorize(HttpRequestMessage request) => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);

        using var read = await site.SendAsync(null, "/read", Authorize);
        using var write = await site.SendAsync(null, "/write", Authorize);
        read.StatusCode.ShouldBe(HttpStatusCode.OK);
        write.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Roles_of_the_token_satisfy_the_authorize_attribute()
    {
        await using var site = await Site.StartAsync(app =>
            app.MapGet("/admin", [Authorize(Roles = "admin")] () => "admin"));
        var roles = new Dictionary<string, object?>(StringComparer.Ordinal) { ["roles"] = new[] { "admin" } };
        var token = site.Issuer.CreateToken("ada@contoso.test", roles);

        using var allowed = await site.SendAsync(
            null, "/admin", request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token));
        using var refused = await site.SendAsync("ada", "/admin");
        allowed.StatusCode.ShouldBe(HttpStatusCode.OK);
        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Endpoints_without_authorization_are_open_whatever_the_token()
    {
        await using var site = await Site.StartAsync(app => app.MapGet("/open", () => "open"));
        using var response = await site.SendAsync(
            null, "/open", request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "wrong"));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_issuer_that_cannot_be_reached_is_answered_with_503_and_not_with_a_sign_in()
    {
        await using var site = await Site.StartAsync();
        site.Issuer.IsDown = true;
        using var response = await site.SendAsync("ada", "/orders");

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.Headers.RetryAfter.ShouldNotBeNull().Delta.ShouldBe(TimeSpan.FromSeconds(30));
        response.Headers.WwwAuthenticate.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_refused_token_is_logged_once_by_the_audit_and_its_reason_nowhere_else()
    {
        await using var site = await Site.StartAsync();
        var token = site.Issuer.CreateBadToken(TokenFlaw.Expired, "ada@contoso.test");
        using var response = await site.SendAsync(
            null, "/orders", request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token));

        site.Log.Records.Count(record => record.Text.Contains("has expired", StringComparison.Ordinal)).ShouldBe(1);
        site.Log.Records.ShouldNotContain(record => record.Text.Contains(token, StringComparison.Ordinal));
    }

    private static void MapScopes(WebApplication app)
    {
        app.MapGet("/read", () => "read").RequireAuthorization(policy => policy.RequireKcdScope("access_as_user"));
        app.MapGet("/write", () => "write").RequireAuthorization(policy => policy.RequireKcdScope("write"));
    }
}
