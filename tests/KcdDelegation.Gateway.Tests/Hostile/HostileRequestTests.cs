using System.Text;
using System.Text.Json.Nodes;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>Requests that no HTTP client sends, byte by byte.</summary>
public sealed class HostileRequestTests
{
    private const string Host = Wire.Host;

    [Theory]
    [InlineData("GET https://erp.contoso.test/ HTTP/1.1\r\nHost: wiki.contoso.test\r\n", 400)]
    [InlineData("GET http://evil.test/ HTTP/1.1\r\nHost: wiki.contoso.test\r\n", 400)]
    [InlineData("GET https://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n", 404)]
    [InlineData("GET https://wiki.contoso.test@evil.test/ HTTP/1.1\r\nHost: wiki.contoso.test\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: wiki.contoso.test\r\nHost: erp.contoso.test\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: wiki.contoso.test/x\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: wiki.contoso.test, erp.contoso.test\r\n", 400)]
    [InlineData("CONNECT erp.contoso.test:443 HTTP/1.1\r\nHost: erp.contoso.test:443\r\n", 405)]
    [InlineData("TRACE / HTTP/1.1\r\nHost: wiki.contoso.test\r\n", 405)]
    public async Task A_target_that_is_not_the_host_reaches_no_application(string head, int status)
    {
        await using var gateway = await TestGateway.StartAsync();

        var answers = await ExchangeAsync(gateway, $"{head}{Authorization(gateway)}Connection: close\r\n\r\n");

        answers.ShouldBe([status]);
        gateway.Wiki.Received.ShouldBeEmpty();
        gateway.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_absolute_target_that_is_the_host_is_served()
    {
        await using var gateway = await TestGateway.StartAsync();

        var answers = await ExchangeAsync(
            gateway, $"GET https://wiki.contoso.test/page HTTP/1.1\r\n{Host}{Authorization(gateway)}Connection: close\r\n\r\n");

        answers.ShouldBe([200]);
        gateway.Wiki.Received.ShouldHaveSingleItem().Path.ShouldBe("/page");
    }

    /// <summary>Each request has a second one in its body. It must be one request or none, and never two.</summary>
    [Theory]
    [InlineData("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 0\r\nContent-Length: 60\r\n\r\n")]
    [InlineData("Content-Length : 0\r\n\r\n")]
    [InlineData("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0\n\r\n")]
    [InlineData("X: a\r\n Content-Length: 0\r\n\r\n")]
    [InlineData("X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    public async Task A_smuggled_request_reaches_no_application(string framing)
    {
        await using var gateway = await TestGateway.StartAsync();
        var smuggled = $"GET /smuggled HTTP/1.1\r\n{Host}{Authorization(gateway)}\r\n";

        await ExchangeAsync(gateway, $"POST /first HTTP/1.1\r\n{Host}{Authorization(gateway)}{framing}{smuggled}");

        gateway.Wiki.Received.ShouldAllBe(request => request.Path != "/smuggled");
    }

    /// <summary>Framings that the gateway may accept: what it takes for a second request must have a user of its own, and what it takes for
    /// a body must be one for the application too.</summary>
    [Theory]
    [InlineData("Content-Length: +0\r\n\r\n")]
    [InlineData("Content-Length: 00\r\n\r\n")]
    [InlineData("Content-Length: 0\r\n\r\n")]
    [InlineData("Content-Length: 10\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0;x=y\r\n\r\n")]
    [InlineData("Transfer-Encoding: CHUNKED\r\n\r\n0\r\nX: y\r\n\r\n")]
    [InlineData("Expect: 100-continue\r\nContent-Length: 0\r\n\r\n")]
    public async Task A_request_inside_of_another_reaches_no_application_without_a_user(string framing)
    {
        await using var gateway = await TestGateway.StartAsync();

        await ExchangeAsync(gateway, $"POST /first HTTP/1.1\r\n{Host}{Authorization(gateway)}{framing}GET /second HTTP/1.1\r\n{Host}\r\n");

        gateway.Wiki.Received.ShouldAllBe(request => request.Path == "/first");
    }

    [Fact]
    public async Task A_request_that_names_hop_by_hop_fields_does_not_remove_those_of_the_gateway()
    {
        await using var gateway = await TestGateway.StartAsync();

        await ExchangeAsync(
            gateway,
            $"GET / HTTP/1.1\r\n{Host}{Authorization(gateway)}"
                + "Connection: close, X-Forwarded-For, X-Forwarded-Host, X-Secret\r\nX-Secret: 1\r\n\r\n");

        var headers = gateway.Wiki.Received.ShouldHaveSingleItem().Headers;
        headers["X-Forwarded-For"].ShouldBe("127.0.0.1");
        headers["X-Forwarded-Host"].ShouldBe("wiki.contoso.test");
        headers.GetValueOrDefault("Connection", "").ShouldNotContain("X-Forwarded");
    }

    [Theory]
    [InlineData(40, 1000, 200)]
    [InlineData(101, 10, 431)]
    [InlineData(90, 1000, 431)]
    public async Task The_number_and_the_size_of_headers_are_bounded(int count, int size, int status)
    {
        await using var gateway = await TestGateway.StartAsync();
        var headers = string.Concat(Enumerable.Range(0, count).Select(i => $"X-{i}: {new string('a', size)}\r\n"));

        var answers = await ExchangeAsync(gateway, $"GET / HTTP/1.1\r\n{Host}{Authorization(gateway)}Connection: close\r\n{headers}\r\n");

        answers.ShouldBe([status]);
    }

    [Fact]
    public async Task A_token_of_48_KB_passes_and_a_bomb_of_cookies_does_not()
    {
        await using var gateway = await TestGateway.StartAsync();
        var token = gateway.Issuer.CreateToken(
            "ada@contoso.test", new Dictionary<string, object?>(StringComparer.Ordinal) { ["groups"] = new string('g', 36_000) });
        token.Length.ShouldBeGreaterThan(48_000);
        var cookies = string.Join(
            "; ", Enumerable.Range(0, 3000).Select(i => FormattableString.Invariant($"c{i}=aaaaaaaaaaaaaaaaaaaaaaaa")));

        (await ExchangeAsync(gateway, $"GET / HTTP/1.1\r\n{Host}Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"))
            .ShouldBe([200]);
        (await ExchangeAsync(gateway, $"GET / HTTP/1.1\r\n{Host}{Authorization(gateway)}Cookie: {cookies}\r\nConnection: close\r\n\r\n"))
            .ShouldBe([431]);
    }

    [Fact]
    public async Task A_long_request_line_is_refused()
    {
        await using var gateway = await TestGateway.StartAsync();

        (await ExchangeAsync(gateway, $"GET /{new string('a', 20_000)} HTTP/1.1\r\n{Host}{Authorization(gateway)}\r\n")).ShouldBe([414]);
    }

    [Fact]
    public async Task A_client_that_never_ends_its_headers_is_disconnected()
    {
        await using var gateway = await TestGateway.StartAsync(
            settings => settings["Listener"]!["Limits"]!["RequestHeadersTimeout"] = "00:00:01");
        await using var stream = await gateway.ConnectAsync("wiki.contoso.test");
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\n{Host}X: "), TestContext.Current.CancellationToken);

        GetStatuses(await Wire.ReadAsync(stream)).ShouldBe([408]);
    }

    [Fact]
    public async Task A_client_that_never_sends_its_body_is_disconnected()
    {
        await using var gateway = await TestGateway.StartAsync(
            wiki: static async context => await context.Request.Body.CopyToAsync(Stream.Null));
        await using var stream = await gateway.ConnectAsync("wiki.contoso.test");
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\n{Host}{Authorization(gateway)}Content-Length: 100000\r\n\r\na"),
            TestContext.Current.CancellationToken);

        var statuses = GetStatuses(await Wire.ReadAsync(stream));

        statuses.ShouldAllBe(status => status >= 400);
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_refused()
    {
        await using var gateway = await TestGateway.StartAsync(settings => settings["Listener"]!["Limits"]!["MaxRequestBodyBytes"] = 1000);

        (await ExchangeAsync(
            gateway,
            $"POST / HTTP/1.1\r\n{Host}{Authorization(gateway)}Connection: close\r\nContent-Length: 2000\r\n\r\n{new string('a', 2000)}"))
            .ShouldBe([413]);
    }

    [Fact]
    public async Task The_answers_name_no_server()
    {
        await using var gateway = await TestGateway.StartAsync();

        using var response = await gateway.SendAsync(user: null, "https://wiki.contoso.test/");

        response.Headers.Server.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/health/live", "kube-probe/1.30")]
    [InlineData("/health/ready", "GoogleHC/1.0")]
    [InlineData("/anything", "kube-probe/1.30")]
    [InlineData("/ping", "ELB-HealthChecker/2.0")]
    public async Task No_path_and_no_user_agent_reaches_an_application_without_a_user(string path, string agent)
    {
        await using var gateway = await TestGateway.StartAsync();

        foreach (var host in (string[])["erp", "wiki"])
        {
            var (status, body) = await gateway.GetAsync(user: null, $"https://{host}.contoso.test{path}", request =>
                request.Headers.TryAddWithoutValidation("User-Agent", agent));
            status.ShouldBe(System.Net.HttpStatusCode.Unauthorized);
            body.ShouldNotContain("Healthy");
        }

        gateway.Wiki.Received.ShouldBeEmpty();
        gateway.Backend.Requests.ShouldBeEmpty();
    }

    private static string Authorization(TestGateway gateway) => Wire.Authorization(gateway);

    private static async Task<IEnumerable<int>> ExchangeAsync(TestGateway gateway, string request) =>
        GetStatuses(await Wire.ExchangeAsync(gateway, request));

    private static IEnumerable<int> GetStatuses(IEnumerable<RawAnswer> answers) => answers.Select(answer => answer.Status);
}
