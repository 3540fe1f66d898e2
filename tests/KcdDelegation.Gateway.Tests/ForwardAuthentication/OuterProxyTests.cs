using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Gateway.Tests.SignIn;
using KcdDelegation.InteropTests;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.Gateway.Tests.ForwardAuthentication;

/// <summary>Tests with Debian's nginx, Caddy and HAProxy and the files of <c>samples/ForwardAuthentication</c>.</summary>
public sealed class OuterProxyTests
{
    [Fact]
    public async Task The_settings_of_the_samples_are_valid()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var sample = await File.ReadAllTextAsync(
            Path.Combine(OuterProxyProcess.Samples, "gateway.json"), TestContext.Current.CancellationToken);
        var settings = JsonNode.Parse(sample, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip })!;
        // The files of the sample do not exist here.
        settings["State"] = Path.GetDirectoryName(gateway.SettingsPath);
        settings["ForwardAuthentication"]!["Urls"]![0] = settings["ForwardAuthentication"]!["Urls"]![0]!.GetValue<string>()
            .Replace("/run/kcd-forward", Path.GetDirectoryName(gateway.SettingsPath), StringComparison.Ordinal);
        settings["Kcd"]!["ServiceAccount"] = gateway.Settings["Kcd"]!["ServiceAccount"]!.DeepClone();
        settings["IdentityProviders"]!["entra"]!["SignIn"]!["ClientSecretFile"] = gateway.KeyPath;
        await File.WriteAllTextAsync(gateway.SettingsPath, settings.ToJsonString(), TestContext.Current.CancellationToken);

        new GatewaySettingsFile(gateway.SettingsPath).Read().Settings.ForwardAuthenticationUrls.Length.ShouldBe(2);
    }

    [Theory]
    [InlineData(OuterProxyProcess.Nginx)]
    [InlineData(OuterProxyProcess.Caddy)]
    [InlineData(OuterProxyProcess.Haproxy)]
    public async Task Two_users_sign_in_and_never_see_each_other_on_a_connection_bound_application(string kind)
    {
        await using var site = await Site.StartAsync(kind);
        var browsers = new Dictionary<string, TestBrowser>(StringComparer.Ordinal);
        foreach (var user in (string[])["ada", "bob"])
        {
            site.SignIn.Provider.User = user;
            browsers[user] = site.CreateBrowser();
            var first = await browsers[user].OpenAsync($"{SignInSite.Erp}/orders?a=1&b=%20x");
            (first.Status, Site.GetUser(first)).ShouldBe((HttpStatusCode.OK, user), first.Body);
            site.Backend.Requests[^1].Path.ShouldBe("/orders?a=1&b=%20x");
        }

        for (var i = 0; i < 20; i++)
        {
            foreach (var (user, browser) in browsers)
            {
                var answer = await browser.NavigateAsync($"{SignInSite.Erp}/{i}");
                (answer.Status, Site.GetUser(answer)).ShouldBe((HttpStatusCode.OK, user), answer.Body);
            }
        }
        site.Backend.Requests.ShouldAllBe(request => request.User != null);
    }

    [Theory]
    [InlineData(OuterProxyProcess.Nginx)]
    [InlineData(OuterProxyProcess.Caddy)]
    [InlineData(OuterProxyProcess.Haproxy)]
    public async Task Connections_that_are_kept_open_would_mix_the_users(string kind)
    {
        await using var site = await Site.StartAsync(kind, text => kind switch
        {
            OuterProxyProcess.Nginx => text.Replace("upstream erp {", "upstream erp {\n keepalive 1;\n", StringComparison.Ordinal)
                .Replace("proxy_set_header Connection close;", "proxy_set_header Connection \"\";", StringComparison.Ordinal),
            OuterProxyProcess.Caddy => text.Replace("keepalive off", "keepalive_idle_conns_per_host 1", StringComparison.Ordinal),
            _ => text.Replace("http-reuse never", "http-reuse always", StringComparison.Ordinal)
                .Replace("option httpclose", "", StringComparison.Ordinal),
        });
        var seen = new List<string>();
        foreach (var user in (string[])["ada", "bob", "ada", "bob"])
        {
            var answer = await site.SendBearerAsync(user);
            seen.Add($"{user} sees {Site.GetUser(answer)}");
        }

        seen.ShouldContain("bob sees ada");
    }

    [Theory]
    [InlineData(OuterProxyProcess.Nginx)]
    [InlineData(OuterProxyProcess.Caddy)]
    [InlineData(OuterProxyProcess.Haproxy)]
    public async Task Tickets_and_tokens_of_1_12_and_48_KB_pass(string kind)
    {
        await using var site = await Site.StartAsync(kind);
        foreach (var size in (int[])[1_000, 12_000, 48_000])
        {
            site.SignIn.Gateway.Realm.PacSize(size);
            site.SignIn.Gateway.Services.GetRequiredService<DelegationClient>().PurgeAll();

            var get = await site.SendBearerAsync("ada");
            (get.Status, Site.GetUser(get)).ShouldBe((HttpStatusCode.OK, "ada"), $"{size} {get.Body}");
            int.Parse(get.Headers["X-Authorization-Length"], null).ShouldBeGreaterThan(size * 4 / 3);

            // A body that fills the buffers of the proxy, in front of which the header is added.
            var post = await site.SendBearerAsync("bob", request =>
            {
                request.Method = HttpMethod.Post;
                request.Content = new ByteArrayContent(new byte[1 << 20]);
            });
            (post.Status, Site.GetUser(post), post.Headers["X-Body-Length"]).ShouldBe((HttpStatusCode.OK, "bob", "1048576"), post.Body);

            // A token of that size, with a ticket of 1 KB.
            site.SignIn.Gateway.Realm.PacSize(1_000);
            site.SignIn.Gateway.Services.GetRequiredService<DelegationClient>().PurgeAll();
            var token = await site.SendBearerAsync("ada", padding: size * 3 / 4 - 500);
            (token.Status, Site.GetUser(token)).ShouldBe((HttpStatusCode.OK, "ada"), $"{size} {token.Body}");
        }
    }

    [Theory]
    [InlineData(OuterProxyProcess.Nginx)]
    [InlineData(OuterProxyProcess.Caddy)]
    [InlineData(OuterProxyProcess.Haproxy)]
    public async Task The_application_gets_nothing_that_is_for_the_gateway_or_that_the_client_must_not_say(string kind)
    {
        await using var site = await Site.StartAsync(kind);

        var answer = await site.SendBearerAsync("ada", request =>
        {
            request.Headers.Add("Cookie", "theme=dark; __Host-kcd-session=secret; __Host-kcd-sign-in-x=1");
            foreach (var name in (string[])[
                "Remote-User", "X-Remote-User", "X-Forwarded-User", "Proxy-Authorization", "X-Forwarded-For", "X-Original-URL",
                "X-Rewrite-URL"])
                request.Headers.TryAddWithoutValidation(name, "forged");
            // These have a meaning in Caddy's file only.
            foreach (var name in (string[])(kind == OuterProxyProcess.Caddy ? ["X-Kcd-Authorization", "X-Kcd-Cookie"] : []))
                request.Headers.TryAddWithoutValidation(name, "forged");
        });

        (answer.Status, Site.GetUser(answer)).ShouldBe((HttpStatusCode.OK, "ada"), answer.Body);
        answer.Body.ShouldContain("Cookie: theme=dark\n");
        answer.Body.ShouldContain("Authorization: Negotiate ");
        answer.Body.ShouldNotContain("forged");
        answer.Body.ShouldNotContain("kcd-");
        answer.Body.ShouldNotContain("Bearer");
        answer.Headers.ShouldNotContainKey("Authorization");
        answer.Headers.ShouldNotContainKey("WWW-Authenticate");
    }

    [Theory]
    [InlineData(OuterProxyProcess.Nginx)]
    [InlineData(OuterProxyProcess.Caddy)]
    [InlineData(OuterProxyProcess.Haproxy)]
    public async Task A_client_cannot_reach_the_endpoint_or_name_its_application_host_or_method(string kind)
    {
        await using var site = await Site.StartAsync(
            kind, changeSettings: settings => settings["Applications"]!["erp"]!["RequiredGroups"] = new JsonArray("g1"));

        foreach (var path in (string[])["/.kcd-auth/nginx/erp", "/.kcd-auth/caddy/wiki", "/.kcd/../.kcd-auth/nginx/wiki",
            "/kcd-authenticate", "/.kcd/%2e%2e/.kcd-auth/nginx/wiki"])
        {
            var answer = await site.SendBearerAsync("ada", path: path);
            ((int)answer.Status).ShouldBeInRange(400, 404, path);
            answer.Headers.ShouldNotContainKey("Authorization", path);
        }
        var spoofed = await site.SendBearerAsync("ada", request =>
        {
            request.Headers.TryAddWithoutValidation("X-Forwarded-Host", "wiki.contoso.test");
            request.Headers.TryAddWithoutValidation("X-Forwarded-Uri", "/open");
            request.Headers.TryAddWithoutValidation("X-Forwarded-Method", "OPTIONS");
            request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", "https");
            request.Headers.TryAddWithoutValidation("X-Original-URL", "/.kcd-auth/nginx/wiki");
        });
        spoofed.Status.ShouldBe(HttpStatusCode.Forbidden);
        site.Backend.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(OuterProxyProcess.Nginx)]
    [InlineData(OuterProxyProcess.Caddy)]
    [InlineData(OuterProxyProcess.Haproxy)]
    public async Task A_program_gets_401_and_nothing_is_cached(string kind)
    {
        await using var site = await Site.StartAsync(kind);

        var answer = await site.CreateBrowser().SendAsync($"{SignInSite.Erp}/api");
        answer.Status.ShouldBe(HttpStatusCode.Unauthorized);
        answer.Headers["WWW-Authenticate"].ShouldBe("Bearer");

        var page = await site.CreateBrowser().NavigateAsync($"{SignInSite.Erp}/page?x=1");
        page.Status.ShouldBe(HttpStatusCode.Redirect);
        page.Location!.AbsoluteUri.ShouldBe($"{SignInSite.Erp}/.kcd/sign-in?automatic=1&return=%2Fpage%3Fx%3D1");
        page.Headers["Cache-Control"].ShouldContain("no-store");
        site.Backend.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(OuterProxyProcess.Nginx)]
    [InlineData(OuterProxyProcess.Caddy)]
    [InlineData(OuterProxyProcess.Haproxy)]
    public async Task Without_the_gateway_no_request_reaches_the_application(string kind)
    {
        await using var site = await Site.StartAsync(kind);
        await site.SignIn.Gateway.StopAsync();

        var answer = await site.SendBearerAsync("ada");

        ((int)answer.Status).ShouldBeInRange(500, 504);
        site.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_refusal_that_nginx_reports_leads_to_a_new_ticket_and_the_body_is_sent_again()
    {
        await using var site = await Site.StartAsync(OuterProxyProcess.Nginx);
        (await site.SendBearerAsync("ada")).Status.ShouldBe(HttpStatusCode.OK);
        site.SignIn.Gateway.Realm.RollKeys(TestGateway.Erp, keepOldKeys: false);

        var answer = await site.SendBearerAsync("ada", request =>
        {
            request.Method = HttpMethod.Post;
            request.Content = new ByteArrayContent(new byte[10_000]);
        });

        (answer.Status, Site.GetUser(answer), answer.Headers["X-Body-Length"]).ShouldBe((HttpStatusCode.OK, "ada", "10000"), answer.Body);
        site.SignIn.Gateway.Log.Find(4012).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_refusal_that_no_new_ticket_ends_is_403_without_a_challenge_that_a_browser_answers()
    {
        await using var site = await Site.StartAsync(
            OuterProxyProcess.Nginx, text => text.Replace("proxy_set_header Authorization $kcd_authorization;",
                "proxy_set_header Authorization \"Negotiate AAAA\";", StringComparison.Ordinal));

        (await site.SendBearerAsync("ada")).Status.ShouldBe(HttpStatusCode.Forbidden);
        site.Backend.Requests.Count.ShouldBe(2);
    }

    private sealed class Site : IAsyncDisposable
    {
        private readonly OuterProxyProcess _proxy;

        private Site(SignInSite signIn, TestBackend backend, OuterProxyProcess proxy) =>
            (SignIn, Backend, _proxy) = (signIn, backend, proxy);

        public SignInSite SignIn { get; }

        public TestBackend Backend { get; }

        public static async Task<Site> StartAsync(
            string kind, Func<string, string>? change = null, Action<JsonObject>? changeSettings = null)
        {
            Lab.Require("proxies");
            var (publicPort, authenticationPort) = (FreePort.Find(), FreePort.Find());
            var socket = OuterProxyProcess.GetSocketPath(authenticationPort);
            var signIn = await SignInSite.StartAsync(settings =>
            {
                settings["Listener"]!["Urls"] = new JsonArray($"http://127.0.0.1:{publicPort}");
                settings["Listener"]!["TrustedProxies"] = new JsonArray("127.0.0.1");
                settings["ForwardAuthentication"] = new JsonObject
                {
                    ["Urls"] = new JsonArray(
                        kind == OuterProxyProcess.Nginx ? $"http://unix:{socket}" : $"http://127.0.0.1:{authenticationPort}"),
                };
                changeSettings?.Invoke(settings);
            });
            var backend = await TestBackend.StartAsync(
                signIn.Gateway.Realm, TestGateway.Erp,
                new TestBackendOptions { Https = true, ConnectionBound = true, MaxHeaderBytes = 1 << 18, Application = AnswerAsync });
            return new Site(
                signIn, backend,
                await OuterProxyProcess.StartAsync(kind, signIn.Gateway, publicPort, authenticationPort, backend, change));
        }

        public TestBrowser CreateBrowser() => new(SignIn.Gateway.CreateClient(_proxy.Port), SignIn.Provider);

        /// <summary>Sends a request with an access token of the user.</summary>
        public async Task<Answer> SendBearerAsync(
            string user, Action<HttpRequestMessage>? change = null, string path = "/", int padding = 0) =>
            await CreateBrowser().SendAsync(SignInSite.Erp + path, method: null, request =>
            {
                var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
                var claims = new JsonObject
                {
                    ["iss"] = SignIn.Provider.Issuer,
                    ["aud"] = "api://gateway",
                    ["sub"] = user,
                    ["upn"] = $"{user}@contoso.test",
                    ["scp"] = "access",
                    ["iat"] = now,
                    ["exp"] = now + 600,
                };
                if (padding > 0)
                    claims["padding"] = new string('x', padding);
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", SignIn.Provider.Sign(claims, "at+jwt"));
                change?.Invoke(request);
            });

        /// <summary>Returns the name of the user that the application has seen.</summary>
        public static string? GetUser(Answer answer) => answer.Headers.GetValueOrDefault("X-Seen-User")?.Split('@')[0];

        public async ValueTask DisposeAsync()
        {
            await _proxy.DisposeAsync();
            await Backend.DisposeAsync();
            await SignIn.DisposeAsync();
        }

        private static async Task AnswerAsync(HttpContext context)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var request = context.Request;
            context.Response.Headers["X-Seen-User"] = context.Features.Get<AcceptedIdentity>()!.User.ToString();
            context.Response.Headers["X-Authorization-Length"] = $"{request.Headers.Authorization.ToString().Length}";
            context.Response.Headers["X-Body-Length"] = $"{body.Length}";
            await context.Response.WriteAsync(string.Concat(request.Headers.Select(header => $"{header.Key}: {header.Value}\n")));
        }
    }
}
