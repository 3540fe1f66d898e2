using System.Net;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>Targets and hosts in many spellings. The application gets the target in its normal form, and no spelling selects another
/// application.</summary>
public sealed class TargetTests
{
    [Theory]
    [InlineData("WIKI.Contoso.Test", 200)]
    [InlineData("wiki.contoso.test:443", 200)]
    [InlineData("wiki.contoso.test.", 404)]
    [InlineData("wiki.contoso.test:8443", 404)]
    [InlineData("wiki.contoso.test:", 400)]
    [InlineData("wiki.contoso.test:0443", 200)]
    [InlineData("wiki.contoso.test:99999", 404)]
    [InlineData("wiki.contoso.test:x", 400)]
    [InlineData("erp.contoso.test@wiki.contoso.test", 400)]
    [InlineData("wiki.contoso.test@evil.test", 400)]
    [InlineData("wiki.contoso.test#", 400)]
    [InlineData("wiki.contoso.test?", 400)]
    [InlineData("wiki.contoso.test\\evil.test", 400)]
    [InlineData("wiki.contoso.test evil.test", 400)]
    [InlineData("wiki%2econtoso.test", 400)]
    [InlineData("[wiki.contoso.test]", 400)]
    [InlineData("127.0.0.1", 404)]
    [InlineData("[::1]", 404)]
    [InlineData("localhost", 404)]
    [InlineData("contoso.test", 404)]
    [InlineData("xwiki.contoso.test", 404)]
    [InlineData("*.contoso.test", 400)]
    [InlineData("xn--wiki.contoso.test", 404)]
    [InlineData("xn--999999999.contoso.test", 400)]
    [InlineData("xn--.contoso.test", 400)]
    [InlineData("xn--wiki-contoso-test-\u00fc", 400)]
    [InlineData("", 404)]
    public async Task A_spelling_of_Host_selects_its_own_application_or_none(string host, int status)
    {
        await using var gateway = await TestGateway.StartAsync();

        var answers = await Wire.ExchangeAsync(gateway, $"GET / HTTP/1.1\r\nHost: {host}\r\n{{auth}}Connection: close\r\n\r\n");

        answers.Select(answer => answer.Status).ShouldBe([status]);
        gateway.Wiki.Received.Count.ShouldBe(status == 200 ? 1 : 0);
        gateway.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_internationalized_name_selects_its_application_in_the_form_that_browsers_send()
    {
        await using var gateway = await TestGateway.StartAsync(settings =>
            settings["Applications"]!["wiki"]!["ExternalUrl"] = "https://b\u00fccher.contoso.test/");

        (await gateway.GetAsync("ada", "https://xn--bcher-kva.contoso.test/")).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync("ada", "https://wiki.contoso.test/")).Status.ShouldBe(HttpStatusCode.NotFound);
        gateway.Wiki.Received.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_port_that_is_the_usual_one_of_the_other_scheme_selects_its_application()
    {
        await using var gateway = await TestGateway.StartAsync(settings =>
            settings["Applications"]!["wiki"]!["ExternalUrl"] = "https://wiki.contoso.test:80/");

        (await gateway.GetAsync("ada", "https://wiki.contoso.test:80/")).Status.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync("ada", "https://wiki.contoso.test/")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    /// <summary>The server decodes an encoded slash of an absolute target, which can leave a dot segment in the path.</summary>
    [Fact]
    public async Task A_dot_segment_that_decoding_leaves_reaches_no_application()
    {
        await using var gateway = await TestGateway.StartAsync();
        string[] paths = ["/x/..%2F.kcd/callback", "/..%2Fadmin", "/x%2F..%2Fadmin", "/x/.%2Fadmin", "/%2e%2e%2fadmin"];
        foreach (var path in paths)
        {
            var answers = await Wire.ExchangeAsync(
                gateway, $"GET https://wiki.contoso.test{path} HTTP/1.1\r\nHost: wiki.contoso.test\r\n{{auth}}Connection: close\r\n\r\n");
            answers.Select(answer => answer.Status).ShouldBe([400], path);
        }
        gateway.Wiki.Received.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET * HTTP/1.1", 405)]
    [InlineData("OPTIONS * HTTP/1.1", 401)]
    [InlineData("GET wiki.contoso.test:443 HTTP/1.1", 405)]
    [InlineData("GET page HTTP/1.1", 405)]
    [InlineData("GET  HTTP/1.1", 400)]
    [InlineData("GET /a b HTTP/1.1", 400)]
    [InlineData("GET /%00 HTTP/1.1", 400)]
    [InlineData("GET /\u0000 HTTP/1.1", 400)]
    [InlineData("GET /a#b HTTP/1.1", 401)]
    [InlineData("GET / HTTP/1.2", 505)]
    [InlineData("GET / HTTP/2.0", 505)]
    [InlineData("GET /", 400)]
    [InlineData("G\u0000T / HTTP/1.1", 400)]
    [InlineData("GET https:///page HTTP/1.1", 400)]
    [InlineData("GET https://wiki.contoso.test@evil.test/ HTTP/1.1", 400)]
    [InlineData("GET ftp://wiki.contoso.test/ HTTP/1.1", 400)]
    [InlineData("PRI * HTTP/2.0", 505)]
    public async Task A_form_of_the_request_line_reaches_no_application_without_a_user(string line, int status)
    {
        await using var gateway = await TestGateway.StartAsync();

        var answers = await Wire.ExchangeAsync(gateway, $"{line}\r\n{{host}}Connection: close\r\n\r\n");

        answers.Select(answer => answer.Status).ShouldBe([status]);
        gateway.Wiki.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_of_HTTP_1_0_without_a_host_reaches_no_application()
    {
        await using var gateway = await TestGateway.StartAsync();

        var answers = await Wire.ExchangeAsync(gateway, "GET / HTTP/1.0\r\n{auth}\r\n");

        answers.Select(answer => answer.Status).ShouldBe([404]);
        gateway.Wiki.Received.ShouldBeEmpty();
    }

    /// <summary>A target is forwarded as it was sent: decoded twice, it would be another one for the application.</summary>
    [Theory]
    [InlineData("/a//b", "/a//b")]
    [InlineData("//evil.test/", "//evil.test/")]
    [InlineData("/a;x=1/b;y", "/a;x=1/b;y")]
    [InlineData("/a%5Cb", "/a%5Cb")]
    [InlineData("/a%2Fb", "/a%2Fb")]
    [InlineData("/a%2fb", "/a%2Fb")]
    [InlineData("/a%2Fb?x=%2F&y=%EF%A3%BF", "/a%2Fb?x=%2F&y=%EF%A3%BF")]
    [InlineData("/a%2Fb%252Fc", "/a%2Fb%252Fc")]
    [InlineData("/a%252Fb%2Fc", "/a%252Fb%2Fc")]
    [InlineData("/a%25%32Fb/%2F", "/a%252Fb/%2F")]
    [InlineData("/x%2Fy/../a%2Fb", "/a%2Fb")]
    [InlineData("/x/%2e%2e/a%2Fb/.", "/a%2Fb/")]
    [InlineData("/%C3%A4%2F%41//;b", "/%C3%A4%2FA//;b")]
    [InlineData("/a%EF%A3%BF%2Fb", "/a%EF%A3%BF%252Fb")]
    [InlineData("/%FF%2Fb", "/%25FF%2Fb")]
    [InlineData("/x/..%2Fadmin", "/x/..%252Fadmin")]
    [InlineData("/x/%2e%2e%2Fadmin", "/x/..%252Fadmin")]
    [InlineData("/x/..;%2Fadmin", "/x/..;%252Fadmin")]
    [InlineData("/x%2F..%2F.kcd/callback", "/x%252F..%252F.kcd/callback")]
    [InlineData("/a%252Fb", "/a%252Fb")]
    [InlineData("/a%2541", "/a%2541")]
    [InlineData("/100%25", "/100%25")]
    [InlineData("/x/%252e%252e/admin", "/x/%252e%252e/admin")]
    [InlineData("/x/%252e%252e%252fadmin", "/x/%252e%252e%252fadmin")]
    [InlineData("/x/%252e%252e/.kcd/callback", "/x/%252e%252e/.kcd/callback")]
    [InlineData("/x/..;/admin", "/x/..;/admin")]
    [InlineData("/x/%2e%2e;/admin", "/x/..;/admin")]
    [InlineData("/%C3%A4", "/%C3%A4")]
    [InlineData("/%41", "/A")]
    [InlineData("/a%3Fb?c=%3F", "/a%3Fb?c=%3F")]
    [InlineData("/a%20b", "/a%20b")]
    [InlineData("/a?x=../../b&y=%2e%2e", "/a?x=../../b&y=..")]
    [InlineData("/a?x=http://evil.test/", "/a?x=http://evil.test/")]
    [InlineData("/a??x", "/a??x")]
    [InlineData("/x/../admin", "/admin")]
    [InlineData("/x/%2e%2e/admin", "/admin")]
    [InlineData("/x/.%2E/admin?y", "/admin?y")]
    [InlineData("/../../admin", "/admin")]
    [InlineData("/a/./b", "/a/b")]
    [InlineData("/x/../%2e%2e/a%252Fb", "/a%252Fb")]
    [InlineData("https://wiki.contoso.test/a%252Fb", "/a%252Fb")]
    [InlineData("https://wiki.contoso.test", "/")]
    public async Task The_application_gets_the_normalized_target(string target, string received)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();

        var answers = await Wire.ExchangeAsync(gateway, $"GET {target} HTTP/1.1\r\n{{host}}{{auth}}\r\n");

        answers.Select(answer => answer.Status).ShouldBe([200]);
        backend.Received.ShouldHaveSingleItem().Line.ShouldBe($"GET {received} HTTP/1.1");
    }

    [Fact]
    public async Task An_application_with_delegation_gets_the_encoded_slash()
    {
        var targets = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var gateway = await TestGateway.StartAsync(backend: new KcdDelegation.Testing.TestBackendOptions
        {
            Application = context =>
            {
                targets.Enqueue(context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget);
                return Task.CompletedTask;
            },
        });

        foreach (var target in (string[])["/a%2Fb?x=1", "/a%252Fb", "/x/..%2Fadmin"])
            await Wire.ExchangeAsync(gateway, $"GET {target} HTTP/1.1\r\nHost: erp.contoso.test\r\n{{auth}}Connection: close\r\n\r\n");

        targets.ShouldBe(["/a%2Fb?x=1", "/a%252Fb"]);
    }

    /// <summary>Paths that another reader would take for those of the gateway. They reach no application.</summary>
    [Theory]
    [InlineData("/.kcd%2Fsign-out")]
    [InlineData("/.kcd%2fsign-out")]
    [InlineData("/.KCD%2Fcallback")]
    [InlineData("/%2ekcd%2Fcallback")]
    [InlineData("/.kcd%5Csign-out")]
    [InlineData("/.kcd;x/sign-out")]
    [InlineData("/.kcd%252Fsign-out")]
    [InlineData("/x/../.kcd%2Fsign-out")]
    public async Task A_path_like_those_of_the_gateway_reaches_no_application(string path)
    {
        await using var site = await SignIn.SignInSite.StartAsync();

        var answers = await Wire.ExchangeAsync(
            site.Gateway, $"GET {path} HTTP/1.1\r\n{{host}}Accept: text/html\r\nConnection: close\r\n\r\n");

        answers.Select(answer => answer.Status).ShouldBe([404]);
        site.Gateway.Wiki.Received.ShouldBeEmpty();
    }

    /// <summary>Paths that a server could decode to a public one, and names of paths in headers (CVE-2026-40575, oauth2-proxy issues 2085
    /// and 3506): no part of a request but its credentials lets it pass.</summary>
    [Theory]
    [InlineData("/health/live/../../admin")]
    [InlineData("/admin;/health/live")]
    [InlineData("/admin%3b/health/live")]
    [InlineData("/admin%23/health/live")]
    [InlineData("/admin#/health/live")]
    [InlineData("/admin?/health/live")]
    [InlineData("/health/live")]
    [InlineData("/health%2flive")]
    [InlineData("//health/live")]
    [InlineData("/.well-known/health/../../admin")]
    [InlineData("/favicon.ico")]
    [InlineData("/robots.txt")]
    public async Task No_spelling_of_a_path_passes_without_a_user(string path)
    {
        await using var gateway = await TestGateway.StartAsync(
            settings => settings["Listener"]!["TrustedProxies"] = new System.Text.Json.Nodes.JsonArray("127.0.0.1"));
        string[] names =
        [
            "X-Forwarded-Uri", "X-Forwarded-Path", "X-Forwarded-Prefix", "X-Original-Uri", "X-Original-URL", "X-Rewrite-URL",
            "X-Auth-Request-Redirect", "X-Forwarded-Method", "X-Envoy-Original-Path", "X-HTTP-Method-Override",
        ];

        foreach (var host in (string[])["erp", "wiki"])
        {
            var answers = await Wire.ExchangeAsync(
                gateway,
                $"GET {path} HTTP/1.1\r\nHost: {host}.contoso.test\r\nUser-Agent: kube-probe/1.30\r\n"
                    + string.Concat(names.Select(name => $"{name}: /health/live\r\n")) + "\r\n");
            answers.Select(answer => answer.Status).ShouldBe([401]);
        }

        gateway.Wiki.Received.ShouldBeEmpty();
        gateway.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_path_in_a_header_of_a_trusted_proxy_changes_no_path()
    {
        await using var gateway = await TestGateway.StartAsync(
            settings => settings["Listener"]!["TrustedProxies"] = new System.Text.Json.Nodes.JsonArray("127.0.0.1"));

        (await gateway.GetAsync("ada", "https://wiki.contoso.test/admin", request =>
        {
            foreach (var name in (string[])["X-Forwarded-Uri", "X-Original-URL", "X-Original_Uri", "x_rewrite_url", "X-Forwarded-Path"])
                request.Headers.TryAddWithoutValidation(name, "/public");
        })).Status.ShouldBe(HttpStatusCode.OK);

        var received = gateway.Wiki.Received.ShouldHaveSingleItem();
        received.Path.ShouldBe("/admin");
        received.Headers.ShouldAllBe(header => !header.Value.Contains("public", StringComparison.Ordinal));
    }

    /// <summary>Names that a server of applications takes for another one (CVE-2025-64484): with underscores, in any case, and with other
    /// characters.</summary>
    [Theory]
    [InlineData("X_Forwarded_User")]
    [InlineData("x-FORWARDED_user")]
    [InlineData("X-Forwarded-For_")]
    [InlineData("_X-Forwarded-User")]
    [InlineData("X.Forwarded.User")]
    [InlineData("X~Forwarded~User")]
    [InlineData("X!Forwarded-User")]
    [InlineData("Remote*User")]
    [InlineData("HTTP_REMOTE_USER")]
    [InlineData("REMOTE-USER")]
    [InlineData("Authorization_")]
    [InlineData("Content_Length")]
    [InlineData("Transfer_Encoding")]
    [InlineData("x-auth-request-preferred-username")]
    public async Task A_name_that_becomes_that_of_another_header_does_not_reach_the_application(string name)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();

        var answers = await Wire.ExchangeAsync(gateway, $"GET / HTTP/1.1\r\n{{host}}{{auth}}{name}: eve\r\n\r\n");

        answers.Select(answer => answer.Status).ShouldBe([200]);
        backend.Received.ShouldHaveSingleItem().Head.ShouldNotContain("eve");
    }
}
