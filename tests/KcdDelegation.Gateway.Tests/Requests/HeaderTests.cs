using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace KcdDelegation.Gateway.Tests.Requests;

public sealed class HeaderTests
{
    private const string Url = "https://wiki.contoso.test/";

    [Theory]
    [InlineData("Remote-User")]
    [InlineData("X-Remote-User")]
    [InlineData("x-forwarded-user")]
    [InlineData("X-Auth-Request-Email")]
    [InlineData("X-MS-CLIENT-PRINCIPAL-NAME")]
    [InlineData("X-Pomerium-Jwt-Assertion")]
    [InlineData("X-Real-IP")]
    [InlineData("Forwarded")]
    [InlineData("X-Original-URL")]
    [InlineData("X-Rewrite-URL")]
    [InlineData("Proxy")]
    [InlineData("X_Remote_User")]
    [InlineData("Remote_User")]
    [InlineData("X-Forwarded_User")]
    [InlineData("X.Remote.User")]
    [InlineData("X-ARR-ClientCert")]
    public async Task A_header_that_names_a_user_an_address_or_a_target_does_not_reach_the_application(string name)
    {
        await using var gateway = await TestGateway.StartAsync();

        (await gateway.GetAsync("ada", Url, request => request.Headers.TryAddWithoutValidation(name, "evil"))).Status
            .ShouldBe(HttpStatusCode.OK);

        gateway.Wiki.Received.ShouldHaveSingleItem().Headers.ShouldAllBe(
            header => !header.Value.Contains("evil", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Other_headers_reach_the_application_unchanged()
    {
        await using var gateway = await TestGateway.StartAsync();

        await gateway.GetAsync("ada", Url, request =>
        {
            request.Headers.Add("X-Requested-With", "XMLHttpRequest");
            request.Headers.Add("X-CSRF-Token", "t0k3n");
            request.Headers.Add("Accept-Language", "de");
        });

        var headers = gateway.Wiki.Received.ShouldHaveSingleItem().Headers;
        (headers["X-Requested-With"], headers["X-CSRF-Token"], headers["Accept-Language"]).ShouldBe(("XMLHttpRequest", "t0k3n", "de"));
    }

    [Fact]
    public async Task The_settings_drop_further_headers_and_allow_known_ones()
    {
        await using var gateway = await TestGateway.StartAsync(settings =>
        {
            settings["Listener"]!["DroppedHeaders"] = new JsonArray("X-Employee", "X-Corp-*");
            settings["Listener"]!["AllowedHeaders"] = new JsonArray("X-User");
        });

        await gateway.GetAsync("ada", Url, request =>
        {
            foreach (var name in (string[])["X-Employee", "X-Corp-Id", "X-User", "X-Username"])
                request.Headers.Add(name, "1");
        });

        var headers = gateway.Wiki.Received.ShouldHaveSingleItem().Headers;
        headers.Keys.Where(name => name.StartsWith("X-", StringComparison.Ordinal)
                && !name.StartsWith("X-Forwarded", StringComparison.Ordinal))
            .ShouldBe(["X-User"]);
    }

    [Fact]
    public async Task Forwarding_headers_of_a_client_are_replaced_by_those_of_the_gateway()
    {
        await using var gateway = await TestGateway.StartAsync();

        await gateway.GetAsync("ada", Url, request =>
        {
            request.Headers.Add("X-Forwarded-For", "203.0.113.9");
            request.Headers.Add("X-Forwarded-Proto", "http");
            request.Headers.Add("X-Forwarded-Host", "evil.test");
            request.Headers.Add("X-Forwarded-Prefix", "/evil");
        });

        var headers = gateway.Wiki.Received.ShouldHaveSingleItem().Headers;
        (headers["X-Forwarded-For"], headers["X-Forwarded-Proto"], headers["X-Forwarded-Host"]).ShouldBe(
            ("127.0.0.1", "https", "wiki.contoso.test"));
        headers.GetValueOrDefault("X-Forwarded-Prefix", "").ShouldBe("");
    }

    [Theory]
    [InlineData("203.0.113.9", "203.0.113.9")]
    [InlineData("198.51.100.1, 203.0.113.9", "203.0.113.9")]
    [InlineData("198.51.100.1, 203.0.113.9, 127.0.0.1", "203.0.113.9")]
    [InlineData("203.0.113.9:4711", "203.0.113.9")]
    [InlineData("[2001:db8::1]:4711", "2001:db8::1")]
    [InlineData("evil, 127.0.0.1", "127.0.0.1")]
    [InlineData("", "127.0.0.1")]
    public async Task A_trusted_proxy_names_the_client(string forwarded, string client)
    {
        await using var gateway = await TestGateway.StartAsync(
            settings => settings["Listener"]!["TrustedProxies"] = new JsonArray("127.0.0.1"));

        await gateway.GetAsync("ada", Url, request => request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwarded));

        gateway.Wiki.Received.ShouldHaveSingleItem().Headers["X-Forwarded-For"].ShouldBe(client);
    }

    [Fact]
    public async Task A_client_of_a_listener_for_both_versions_of_IP_has_its_own_address()
    {
        await using var gateway = await TestGateway.StartAsync(settings => settings["Listener"]!["Urls"] = new JsonArray("https://*:0"));

        await gateway.GetAsync("ada", Url);

        gateway.Wiki.Received.ShouldHaveSingleItem().Headers["X-Forwarded-For"].ShouldBe("127.0.0.1");
    }

    [Fact]
    public async Task A_trusted_proxy_cannot_select_another_application_than_the_host()
    {
        await using var gateway = await TestGateway.StartAsync(
            settings => settings["Listener"]!["TrustedProxies"] = new JsonArray("127.0.0.0/8"));

        var (_, body) = await gateway.GetAsync("ada", Url, request => request.Headers.Add("X-Forwarded-Host", "erp.contoso.test"));

        body.ShouldBe("the wiki");
        gateway.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Plain_http_is_redirected_to_the_address_of_the_settings_whatever_the_request_says()
    {
        await using var gateway = await TestGateway.StartAsync(
            settings => settings["Listener"]!["Urls"] = new JsonArray("http://127.0.0.1:0"));

        using var response = await gateway.SendAsync("ada", "http://wiki.contoso.test//evil.test/a?x=1", request =>
        {
            request.Headers.Add("X-Forwarded-Host", "evil.test");
            request.Headers.Add("X-Forwarded-Proto", "https");
            request.Headers.Add("Forwarded", "host=evil.test;proto=https");
        });

        response.StatusCode.ShouldBe(HttpStatusCode.PermanentRedirect);
        response.Headers.Location!.AbsoluteUri.ShouldBe("https://wiki.contoso.test//evil.test/a?x=1");
        gateway.Wiki.Received.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/a%2Fb%252Fc?x=%2F", "/a%2Fb%252Fc?x=%2F")]
    [InlineData("/%2f%2fevil.test/%5cevil.test", "/%2f%2fevil.test/%5cevil.test")]
    [InlineData("//evil.test/", "//evil.test/")]
    [InlineData("/\\evil.test", "/%5Cevil.test")]
    [InlineData("/a?q={\"a\":1}", "/a?q=%7B%22a%22:1%7D")]
    [InlineData("http://wiki.contoso.test/a%2Fb", "/a%2Fb")]
    [InlineData("http://wiki.contoso.test?x=/y", "/?x=/y")]
    public async Task The_redirect_to_https_keeps_the_target_as_it_was_sent(string target, string expected)
    {
        await using var gateway = await TestGateway.StartAsync(
            settings => settings["Listener"]!["Urls"] = new JsonArray("http://127.0.0.1:0"));

        var head = await SendRawAsync(gateway.Port, $"GET {target} HTTP/1.1\r\nHost: wiki.contoso.test\r\nConnection: close\r\n\r\n");

        head.ShouldStartWith("HTTP/1.1 308 ");
        head.ShouldContain($"\r\nLocation: https://wiki.contoso.test{expected}\r\n");
    }

    [Fact]
    public async Task A_trusted_proxy_ends_https()
    {
        await using var gateway = await TestGateway.StartAsync(settings =>
        {
            settings["Listener"]!["Urls"] = new JsonArray("http://127.0.0.1:0");
            settings["Listener"]!["TrustedProxies"] = new JsonArray("127.0.0.1");
        });

        (await gateway.GetAsync("ada", "http://wiki.contoso.test/", request => request.Headers.Add("X-Forwarded-Proto", "https")))
            .ShouldBe((HttpStatusCode.OK, "the wiki"));
        // The last value is the proxy's own.
        (await gateway.GetAsync("ada", "http://wiki.contoso.test/", request =>
            request.Headers.Add("X-Forwarded-Proto", "https, http"))).Status
            .ShouldBe(HttpStatusCode.PermanentRedirect);
    }

    [Fact]
    public async Task A_request_with_a_body_over_plain_http_is_refused()
    {
        await using var gateway = await TestGateway.StartAsync(
            settings => settings["Listener"]!["Urls"] = new JsonArray("http://127.0.0.1:0"));

        (await gateway.GetAsync("ada", "http://wiki.contoso.test/", request => request.Method = HttpMethod.Post)).Status
            .ShouldBe(HttpStatusCode.Forbidden);
        gateway.Wiki.Received.ShouldBeEmpty();
    }

    private static async Task<string> SendRawAsync(int port, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
