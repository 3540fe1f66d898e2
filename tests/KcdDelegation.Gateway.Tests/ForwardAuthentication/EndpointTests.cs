using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Gateway.Tests.SignIn;
using KcdDelegation.Testing;

namespace KcdDelegation.Gateway.Tests.ForwardAuthentication;

/// <summary>Tests of the endpoint for outer proxies, without one.</summary>
public sealed class EndpointTests
{
    [Theory]
    [InlineData("/.kcd-auth/nginx/erp")]
    [InlineData("/.kcd-auth/caddy/erp")]
    [InlineData("/.kcd-auth/haproxy/erp")]
    [InlineData("/.kcd-auth/traefik/erp")]
    public async Task The_proxy_gets_a_value_of_the_user_that_the_application_accepts(string path)
    {
        await using var site = await Site.StartAsync();

        foreach (var user in (string[])["ada", "bob"])
        {
            using var answer = await site.AskAsync(path, user, request => request.Headers.Add("Cookie", "a=1; __Host-kcd-session=x; b=2"));

            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            Get(answer, "Cookie").ShouldBe("a=1; b=2");
            Get(answer, "Cache-Control").ShouldBe("no-store");
            (await site.CallApplicationAsync(Get(answer, "Authorization")!)).ShouldBe($"{user}@CONTOSO.TEST");
        }
    }

    [Fact]
    public async Task Each_answer_has_another_value()
    {
        await using var site = await Site.StartAsync();

        using var first = await site.AskAsync("/.kcd-auth/nginx/erp", "ada");
        using var second = await site.AskAsync("/.kcd-auth/nginx/erp", "ada");

        Get(first, "Authorization").ShouldNotBeNull().ShouldStartWith("Negotiate ");
        Get(second, "Authorization").ShouldNotBe(Get(first, "Authorization"));
    }

    [Fact]
    public async Task An_application_without_delegation_gets_no_credentials()
    {
        await using var site = await Site.StartAsync();

        using var answer = await site.AskAsync("/.kcd-auth/nginx/wiki", "ada");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        Get(answer, "Authorization").ShouldBeNull();
    }

    [Theory]
    [InlineData("/.kcd-auth/nginx/erp")]
    [InlineData("/.kcd-auth/caddy/erp")]
    public async Task Without_a_user_there_is_no_value(string path)
    {
        await using var site = await Site.StartAsync();

        using var none = await site.AskAsync(path, user: null);
        using var wrong = await site.AskAsync(path, user: null, request =>
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "a.b.c"));
        using var own = await site.AskAsync(path, user: null, request =>
            request.Headers.Authorization = new AuthenticationHeaderValue("Negotiate", "YIIB"));

        foreach (var answer in (HttpResponseMessage[])[none, wrong, own])
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            Get(answer, "WWW-Authenticate").ShouldNotBeNull().ShouldStartWith("Bearer");
            Get(answer, "Authorization").ShouldBeNull();
            Get(answer, "Cache-Control").ShouldBe("no-store");
        }
    }

    [Fact]
    public async Task A_condition_that_the_user_does_not_meet_is_403()
    {
        await using var site = await Site.StartAsync(settings => settings["Applications"]!["erp"]!["RequiredGroups"] = new JsonArray("g1"));

        using var answer = await site.AskAsync("/.kcd-auth/nginx/erp", "ada");

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        Get(answer, "Authorization").ShouldBeNull();
        site.Gateway.Log.Find(6010).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_user_that_the_directory_does_not_know_is_403()
    {
        await using var site = await Site.StartAsync();

        using var answer = await site.AskAsync("/.kcd-auth/nginx/erp", "carol");

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        Get(answer, "Authorization").ShouldBeNull();
        Get(answer, "Cache-Control").ShouldBe("no-store");
    }

    [Theory]
    [InlineData("MutualAuthentication", "Required")]
    [InlineData("RequireChannelBinding", "true")]
    public async Task A_check_that_an_outer_proxy_cannot_do_is_not_dropped(string setting, string value)
    {
        await using var site = await Site.StartAsync(settings =>
        {
            var erp = settings["Kcd"]!["Applications"]!["erp"]!;
            (erp[setting], erp["InternalUrl"], erp["AllowPlainHttp"]) = (value, "https://erp.corp.contoso.test/", false);
        });

        using var answer = await site.AskAsync("/.kcd-auth/nginx/erp", "ada");

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        Get(answer, "Authorization").ShouldBeNull();
        site.Gateway.Log.Find(6101).ShouldHaveSingleItem().ShouldContain($"Kcd:Applications:erp:{setting}");
    }

    [Fact]
    public async Task The_public_listener_has_no_endpoint()
    {
        await using var site = await Site.StartAsync();

        foreach (var path in (string[])["/.kcd-auth/nginx/erp", "/.KCD-AUTH/caddy/erp", "/.kcd-auth", "/%2ekcd-auth/nginx/erp"])
        {
            using var answer = await site.Gateway.SendAsync("ada", $"https://erp.contoso.test{path}", Describe);

            answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
            answer.Headers.Contains("Authorization").ShouldBeFalse(path);
        }
        site.Gateway.Backend.Requests.ShouldBeEmpty();
        site.Gateway.Log.Find(6102).Count.ShouldBe(4);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/health/ready")]
    [InlineData("/.kcd/sign-in")]
    [InlineData("/.kcd-auth")]
    [InlineData("/.kcd-auth/nginx")]
    [InlineData("/.kcd-auth/haproxy")]
    [InlineData("/.kcd-auth/nginx/unknown")]
    [InlineData("/.kcd-auth/nginx/erp/")]
    [InlineData("/.kcd-auth/nginx/erp/other")]
    [InlineData("/.kcd-auth/nginx/erp/refused/x")]
    [InlineData("/.kcd-auth/nginx/unknown/refused")]
    [InlineData("/.kcd-auth/other/erp")]
    [InlineData("/.KCD-AUTH/nginx/erp")]
    public async Task The_listener_of_outer_proxies_has_nothing_else(string path)
    {
        await using var site = await Site.StartAsync();

        using var answer = await site.AskAsync(path, "ada");

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        Get(answer, "Authorization").ShouldBeNull();
        Get(answer, "Cache-Control").ShouldBe("no-store");
        site.Gateway.Log.Find(6100).ShouldHaveSingleItem();
        site.Gateway.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_application_of_the_path_is_not_changed_by_headers_of_the_client()
    {
        await using var site = await Site.StartAsync();

        using var answer = await site.AskAsync("/.kcd-auth/nginx/wiki", "ada", request =>
        {
            request.Headers.Host = "erp.contoso.test";
            foreach (var name in (string[])["X-Forwarded-Host", "X-Original-Host", "X-Host", "Forwarded"])
                request.Headers.TryAddWithoutValidation(name, "erp.contoso.test");
            request.Headers.TryAddWithoutValidation("X-Original-URL", "/.kcd-auth/nginx/erp");
            request.Headers.TryAddWithoutValidation("X-Rewrite-URL", "/.kcd-auth/nginx/erp");
        });

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        Get(answer, "Authorization").ShouldBeNull();
        site.Gateway.Realm.Transcript.ShouldNotContain(line => line.Contains("PROXY", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("erp.contoso.test", HttpStatusCode.OK)]
    [InlineData("erp.contoso.test:443", HttpStatusCode.OK)]
    [InlineData("other.contoso.test", HttpStatusCode.NotFound)]
    [InlineData("xn--.contoso.test", HttpStatusCode.NotFound)]
    [InlineData("erp.contoso.test, wiki.contoso.test", HttpStatusCode.Forbidden)]
    [InlineData("", HttpStatusCode.Forbidden)]
    public async Task A_path_without_an_application_uses_one_host_of_the_proxy(string host, HttpStatusCode expected)
    {
        await using var site = await Site.StartAsync();

        using var answer = await site.AskAsync("/.kcd-auth/caddy", "ada", request =>
        {
            request.Headers.Host = "erp.contoso.test";
            request.Headers.TryAddWithoutValidation("X-Forwarded-Host", host);
        });

        answer.StatusCode.ShouldBe(expected);
        (Get(answer, "Authorization") is not null).ShouldBe(expected == HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("X-Forwarded-Method", null)]
    [InlineData("X-Forwarded-Method", "GET, TRACE")]
    [InlineData("X-Forwarded-Method", "TRACE")]
    [InlineData("X-Forwarded-Method", "CONNECT")]
    [InlineData("X-Forwarded-Proto", null)]
    [InlineData("X-Forwarded-Proto", "http")]
    [InlineData("X-Forwarded-Proto", "https, https")]
    [InlineData("X-Forwarded-Uri", null)]
    [InlineData("X-Forwarded-Uri", "/.kcd/sign-in")]
    [InlineData("X-Forwarded-Uri", "/.kcd-auth/nginx/erp")]
    [InlineData("X-Forwarded-Uri", "/%2Ekcd/sign-in")]
    public async Task A_request_that_is_not_described_correctly_gets_no_value(string header, string? value)
    {
        await using var site = await Site.StartAsync();

        using var answer = await site.AskAsync("/.kcd-auth/nginx/erp", "ada", request =>
        {
            request.Headers.Remove(header);
            if (value is not null)
                request.Headers.TryAddWithoutValidation(header, value);
        });

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        Get(answer, "Authorization").ShouldBeNull();
    }

    [Fact]
    public async Task A_header_of_the_client_in_front_of_that_of_the_proxy_is_refused()
    {
        await using var site = await Site.StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, site.Port, TestContext.Current.CancellationToken);
        var text = "GET /.kcd-auth/caddy HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-Method: GET\r\n"
            + "X-Forwarded-Proto: https\r\nX-Forwarded-Uri: /\r\n"
            + "X-Forwarded-Host: erp.contoso.test\r\nX-Forwarded-Host: wiki.contoso.test\r\n"
            + $"Authorization: Bearer {site.Gateway.Issuer.CreateToken("ada@contoso.test")}\r\n\r\n";

        await socket.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(socket.GetStream());
        var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        answer.ShouldStartWith("HTTP/1.1 403 ");
        answer.ShouldNotContain("Authorization:");
    }

    [Fact]
    public async Task A_browser_without_a_session_gets_the_address_of_the_sign_in()
    {
        var port = FreePort.Find();
        await using var site = await SignInSite.StartAsync(settings =>
            settings["ForwardAuthentication"] = new JsonObject { ["Urls"] = new JsonArray($"http://127.0.0.1:{port}") });
        const string Address = $"{SignInSite.Erp}/.kcd/sign-in?automatic=1&return=%2Forders";
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
        foreach (var proxy in (string[])["nginx", "caddy"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/.kcd-auth/{proxy}/erp");
            Describe(request);
            request.Headers.Add("Sec-Fetch-Mode", "navigate");
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

            answer.StatusCode.ShouldBe(proxy == "nginx" ? HttpStatusCode.Unauthorized : HttpStatusCode.Redirect);
            Get(answer, proxy == "nginx" ? "X-Kcd-Sign-In" : "Location").ShouldBe(Address);
            Get(answer, "Authorization").ShouldBeNull();
        }
        (await site.CreateBrowser().NavigateAsync(Address)).Location!.AbsoluteUri.ShouldStartWith($"{site.Provider.Issuer}/authorize");
    }

    [Theory]
    [InlineData("Upgrade", "websocket")]
    [InlineData("Sec-WebSocket-Version", "13")]
    [InlineData("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    public async Task A_page_of_another_site_gets_no_value_for_a_WebSocket(string header, string value)
    {
        var port = FreePort.Find();
        await using var site = await SignInSite.StartAsync(settings =>
            settings["ForwardAuthentication"] = new JsonObject { ["Urls"] = new JsonArray($"http://127.0.0.1:{port}") });
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
        foreach (var origin in (string?[])["https://sibling.contoso.test", "null", null, SignInSite.Erp])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/.kcd-auth/haproxy/erp");
            Describe(request);
            request.Headers.Add("Cookie", string.Join("; ", browser.GetCookies().Select(cookie => $"{cookie.Key}={cookie.Value}")));
            // Proxies do not pass Upgrade on, which is a field of the connection.
            request.Headers.TryAddWithoutValidation(header, value);
            if (origin is not null)
                request.Headers.Add("Origin", origin);
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

            (answer.StatusCode == HttpStatusCode.OK).ShouldBe(origin == SignInSite.Erp, origin);
            (Get(answer, "Authorization") is not null).ShouldBe(origin == SignInSite.Erp, origin);
        }
    }

    [Fact]
    public async Task A_ticket_that_the_application_refuses_is_replaced_once_a_minute()
    {
        await using var site = await Site.StartAsync();
        (await AskValueAsync("/.kcd-auth/nginx/erp")).ShouldBe("ada@CONTOSO.TEST");
        site.Gateway.Realm.RollKeys(TestGateway.Erp, keepOldKeys: false);
        (await AskValueAsync("/.kcd-auth/nginx/erp")).ShouldNotBe("ada@CONTOSO.TEST");
        site.Gateway.Realm.ClearTranscript();

        for (var i = 0; i < 5; i++)
            (await AskValueAsync("/.kcd-auth/nginx/erp/refused")).ShouldBe("ada@CONTOSO.TEST");

        site.Gateway.Realm.Transcript.Count(line => line.StartsWith("PROXY", StringComparison.Ordinal)).ShouldBe(1);
        site.Gateway.Log.Find(4012).ShouldHaveSingleItem();
        (await AskValueAsync("/.kcd-auth/nginx/erp")).ShouldBe("ada@CONTOSO.TEST");

        // A report is a request for a user too.
        using var none = await site.AskAsync("/.kcd-auth/nginx/erp/refused", user: null);
        none.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        async Task<string> AskValueAsync(string path)
        {
            using var answer = await site.AskAsync(path, "ada");
            return await site.CallApplicationAsync(Get(answer, "Authorization")!);
        }
    }

    [Fact]
    public async Task A_socket_of_the_file_system_is_for_its_user_and_group_and_has_the_endpoint_only()
    {
        var folder = Directory.CreateTempSubdirectory("Kcd-Forward-");
        var path = Path.Combine(folder.FullName, "Auth.sock");
        using (var killed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            killed.Bind(new UnixDomainSocketEndPoint(path + "1"));
            File.Move(path + "1", path);
        }
        await using (var gateway = await TestGateway.StartAsync(settings =>
            settings["ForwardAuthentication"] = new JsonObject { ["Urls"] = new JsonArray($"http://unix:{path}") }))
        {
            if (!OperatingSystem.IsWindows())
                File.GetUnixFileMode(path).ShouldBe((UnixFileMode)0b110_110_000);
            using var client = new HttpClient(new SocketsHttpHandler
            {
                UseCookies = false,
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            });
            using var request = Site.CreateRequest(gateway, "http://localhost/.kcd-auth/nginx/erp", "ada");
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            Get(answer, "Authorization").ShouldNotBeNull().ShouldStartWith("Negotiate ");
            using var other = Site.CreateRequest(gateway, "http://erp.contoso.test/", "ada");
            using var refused = await client.SendAsync(other, TestContext.Current.CancellationToken);
            refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            gateway.Backend.Requests.ShouldBeEmpty();
            await gateway.StopAsync();
            File.Exists(path).ShouldBeFalse();
        }
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("http://*:4180", "is not an http address")]
    [InlineData("http://0.0.0.0:4180", "is not a loopback address")]
    [InlineData("http://localhost:4180", "is not a loopback address")]
    [InlineData("http://192.0.2.1:4180", "is not a loopback address")]
    [InlineData("https://127.0.0.1:4180", "is not an http address")]
    [InlineData("http://127.0.0.1:4180/path", "has a path")]
    [InlineData("unix:/run/auth.sock", "is not an http address")]
    [InlineData("http://unix:run/auth.sock", "is not an absolute path")]
    [InlineData("http://unix:/run/auth.sock:/path", "is not an absolute path")]
    [InlineData("http://unix:/absent/auth.sock", "is in a folder that does not exist")]
    [InlineData("https://unix:/run/auth.sock", "is not an http address")]
    [InlineData("http://127.0.0.1:4181", "has a port of Listener:Urls")]
    public async Task An_address_that_others_can_reach_is_refused_by_its_key(string url, string problem)
    {
        await using var gateway = await TestGateway.CreateAsync();
        gateway.Settings["Listener"]!["Urls"] = new JsonArray("http://127.0.0.1:4181");
        gateway.Settings["ForwardAuthentication"] = new JsonObject { ["Urls"] = new JsonArray(url) };
        gateway.WriteSettings();

        var error = Should.Throw<GatewaySettingsException>(() => new GatewaySettingsFile(gateway.SettingsPath).Read());

        error.Errors.ShouldHaveSingleItem().ShouldStartWith($"ForwardAuthentication:Urls:0 \"{url}\" {problem}");
    }

    private static string? Get(HttpResponseMessage answer, string name) =>
        answer.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    private static void Describe(HttpRequestMessage request)
    {
        request.Headers.Add("X-Forwarded-Method", "GET");
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-Uri", "/orders");
    }

    private sealed class Site : IAsyncDisposable
    {
        private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });

        private Site(TestGateway gateway, int port) => (Gateway, Port) = (gateway, port);

        public TestGateway Gateway { get; }

        public int Port { get; }

        public static async Task<Site> StartAsync(Action<JsonObject>? change = null)
        {
            var port = FreePort.Find();
            return new Site(
                await TestGateway.StartAsync(settings =>
                {
                    settings["ForwardAuthentication"] = new JsonObject { ["Urls"] = new JsonArray($"http://127.0.0.1:{port}") };
                    change?.Invoke(settings);
                }),
                port);
        }

        public static HttpRequestMessage CreateRequest(TestGateway gateway, string url, string? user)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, url);
            Describe(request);
            if (user is not null)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", gateway.Issuer.CreateToken($"{user}@contoso.test"));
            return request;
        }

        public async Task<HttpResponseMessage> AskAsync(string path, string? user, Action<HttpRequestMessage>? change = null)
        {
            using var request = CreateRequest(Gateway, $"http://127.0.0.1:{Port}{path}", user);
            change?.Invoke(request);
            return await _client.SendAsync(request, TestContext.Current.CancellationToken);
        }

        public async Task<string> CallApplicationAsync(string authorization)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Gateway.Backend.Url);
            request.Headers.TryAddWithoutValidation("Authorization", authorization).ShouldBeTrue();
            using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
            return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }

        public ValueTask DisposeAsync()
        {
            _client.Dispose();
            return Gateway.DisposeAsync();
        }
    }
}
