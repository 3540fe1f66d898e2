using System.Net;
using System.Text.RegularExpressions;
using KcdDelegation.Gateway.Tests.SignIn;
using Microsoft.AspNetCore.WebUtilities;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>Header fields that name another host, scheme, path or method, and spellings of <c>Host</c>. A sign-in, a sign-out and the
/// pages of the gateway are the same with them as without.</summary>
public sealed partial class ForwardingHeaderTests(HostileSignInSite fixture) : IClassFixture<HostileSignInSite>
{
    private static readonly string[] s_random = ["state", "nonce", "code_challenge", "id_token_hint", "token"];

    [Theory]
    [InlineData("X-Forwarded-Host: evil.example")]
    [InlineData("X-Forwarded-Host: erp.contoso.test, wiki.contoso.test")]
    [InlineData("X-Forwarded-Host: evil.example|X-Forwarded-Proto: https|X-Forwarded-Port: 8443|X-Forwarded-For: 203.0.113.9")]
    [InlineData("X-Forwarded-Host: \"><script>|X-Forwarded-Proto: http, https|X-Forwarded-Prefix: /evil")]
    [InlineData("X-Forwarded-Proto: javascript|X-Forwarded-Prefix: //evil.example")]
    [InlineData("X-Forwarded-Proto: |X-Forwarded-PathBase: /evil|X-Forwarded-Path: /evil|X-Forwarded-Uri: /evil|X-Script-Name: /evil")]
    [InlineData("X-Forwarded-Server: evil.example|X-Forwarded-Scheme: http|X-Forwarded-Ssl: off|Front-End-Https: off|X-Scheme: http")]
    [InlineData("Forwarded: host=evil.example;proto=http;for=203.0.113.9")]
    [InlineData("Forwarded: for=127.0.0.1;host=\"evil.example\"|X-Original-Host: evil.example|X-Host: evil.example")]
    [InlineData("X-Original-URL: /.kcd/sign-out|X-Rewrite-URL: /.kcd/sign-out|X-Override-URL: /.kcd/sign-out")]
    [InlineData("X-Original-URL: //evil.example/|X-Rewrite-URL: https://evil.example/|X-Original-Uri: /evil|X-Request-Uri: /evil")]
    [InlineData("X-HTTP-Method-Override: POST|X-HTTP-Method: POST|X-Method-Override: POST|X-Original-Method: POST")]
    [InlineData("X-HTTP-Method-Override: TRACE|Referer: https://evil.example/|Destination: https://evil.example/")]
    [InlineData("Host: ERP.contoso.test:0443")]
    [InlineData("Host: erp.contoso.test:443|X-Forwarded-Host: evil.example:443")]
    public Task The_whole_way_of_a_user_behind_a_trusted_proxy_is_that_of_the_settings(string fields) =>
        ShouldBeUnchangedAsync(fixture.TrustingSite, fields);

    [Theory]
    [InlineData("X-Forwarded-Host: evil.example|X-Forwarded-Proto: http|X-Forwarded-Port: 8443|X-Forwarded-Prefix: /evil|X-Scheme: http"
        + "|Forwarded: host=evil.example;proto=http|X-Original-URL: /.kcd/sign-out|X-Rewrite-URL: //evil.example/|X-Host: evil.example"
        + "|X-HTTP-Method-Override: POST|X-Forwarded-For: 203.0.113.9|X-Original-Host: evil.example|Front-End-Https: off")]
    [InlineData("Host: ERP.contoso.test:443|X-Forwarded-Host: wiki.contoso.test")]
    public Task The_whole_way_of_a_user_is_that_of_the_settings(string fields) => ShouldBeUnchangedAsync(fixture.Site, fields);

    [Theory]
    [InlineData("X-Forwarded-Proto: http|X-Forwarded-Host: evil.example|X-Forwarded-Prefix: /evil")]
    [InlineData("X-Forwarded-Proto: https, http|Forwarded: host=evil.example;proto=https")]
    public async Task A_trusted_proxy_that_names_http_gets_the_https_address_of_the_settings(string fields)
    {
        var browser = fixture.TrustingSite.CreateBrowser();
        foreach (var path in (string[])["/page?x=1", "/.kcd/sign-out", "/.kcd/callback?code=x&state=y", "/.kcd/sign-in?return=/a"])
        {
            var answer = await SendAsync(browser, HttpMethod.Get, SignInSite.Erp + path, fields);

            (answer.Status, answer.Location!.AbsoluteUri).ShouldBe((HttpStatusCode.PermanentRedirect, SignInSite.Erp + path));
            answer.Headers.ShouldNotContainKey("Set-Cookie");
        }
        (await SendAsync(browser, HttpMethod.Post, SignInSite.Erp + "/.kcd/sign-out", fields)).Status.ShouldBe(HttpStatusCode.Forbidden);
        browser.GetCookies().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Host: erp.contoso.test:8443")]
    [InlineData("Host: erp.contoso.test.")]
    [InlineData("Host: evil.example|X-Forwarded-Host: erp.contoso.test")]
    [InlineData("Host: evil.example|Forwarded: host=erp.contoso.test")]
    public async Task Another_host_has_no_sign_in_and_no_session(string fields)
    {
        foreach (var site in (SignInSite[])[fixture.Site, fixture.TrustingSite])
        {
            var browser = site.CreateBrowser();
            await browser.OpenAsync(SignInSite.Erp + "/");
            foreach (var path in (string[])["/", "/.kcd/sign-out", "/.kcd/sign-in", "/.kcd/signed-out"])
            {
                var answer = await SendAsync(browser, HttpMethod.Get, SignInSite.Erp + path, fields);

                (answer.Status, answer.Location).ShouldBe((HttpStatusCode.NotFound, null));
                answer.Headers.ShouldNotContainKey("Set-Cookie");
                answer.Body.ShouldNotContain("contoso");
            }
        }
    }

    private async Task ShouldBeUnchangedAsync(SignInSite site, string fields)
    {
        if (!fixture.Expected.TryGetValue(site, out var expected))
            fixture.Expected[site] = expected = await TravelAsync(site, "");

        var received = await TravelAsync(site, fields);

        received.ShouldBe(expected);
        received.ShouldNotContain("evil");
    }

    /// <summary>Signs in, opens a page and signs out, with header fields on each request. Returns what the browser sees, without random
    /// values.</summary>
    private static async Task<string> TravelAsync(SignInSite site, string fields)
    {
        var browser = site.CreateBrowser();
        var lines = new List<string>();
        async Task<Answer> StepAsync(string url, HttpMethod? method = null, string more = "")
        {
            var answer = await SendAsync(browser, method ?? HttpMethod.Get, url, $"{fields}|{more}");
            lines.Add($"{(int)answer.Status} {Normalize(answer.Location)}");
            lines.Add(CookieValue().Replace(answer.Headers.GetValueOrDefault("Set-Cookie", ""), "${name}="));
            lines.AddRange(Link().Matches(answer.Body).Select(link => Token().Replace(link.Value, "")));
            return answer;
        }

        await StepAsync(SignInSite.Erp + "/.kcd/callback?code=x&state=y");
        var request = await StepAsync(SignInSite.Erp + "/page?x=%2F");
        await StepAsync(site.Provider.Authorize(request.Location!, user: "ada").AbsoluteUri);
        lines.Add((await StepAsync(SignInSite.Erp + "/page?x=%2F")).Body);
        lines.Add(site.Gateway.Backend.Requests[^1].Path);
        await StepAsync(SignInSite.Erp + "/.kcd/sign-in?return=/other");
        await StepAsync(SignInSite.Erp + "/.kcd/unknown");
        await StepAsync(SignInSite.Erp + "/.kcd/sign-out");
        lines.Add((await StepAsync(SignInSite.Erp + "/page")).Body);
        await StepAsync(SignInSite.Erp + "/.kcd/sign-out", HttpMethod.Post, "Origin: https://evil.example");
        lines.Add((await StepAsync(SignInSite.Erp + "/page")).Body);
        await StepAsync(SignInSite.Erp + "/.kcd/sign-out", HttpMethod.Post, "Origin: " + SignInSite.Erp);
        await StepAsync(SignInSite.Erp + "/.kcd/signed-out");
        await StepAsync(SignInSite.Erp + "/page");
        return string.Join('\n', lines);
    }

    private static Task<Answer> SendAsync(TestBrowser browser, HttpMethod method, string url, string fields) =>
        browser.SendAsync(url, method, request =>
        {
            request.Headers.Add("Sec-Fetch-Mode", "navigate");
            request.Headers.Add("Sec-Fetch-Dest", "document");
            request.Headers.Add("Accept", "text/html");
            foreach (var field in fields.Split('|', StringSplitOptions.RemoveEmptyEntries))
            {
                var end = field.IndexOf(':', StringComparison.Ordinal);
                request.Headers.TryAddWithoutValidation(field[..end], field[(end + 1)..].Trim());
            }
        });

    private static string Normalize(Uri? location)
    {
        if (location is null)
            return "";
        var query = QueryHelpers.ParseQuery(location.Query).Where(pair => !s_random.Contains(pair.Key, StringComparer.Ordinal))
            .Select(pair => $"{pair.Key}={pair.Value}");
        return $"{location.GetLeftPart(UriPartial.Path)}?{string.Join('&', query)}";
    }

    [GeneratedRegex("(?<name>__Host-kcd-(session|signed-in|sign-in-))[^;=]*=[^;,]*(; expires=[^;]*)?", RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex CookieValue();

    [GeneratedRegex("href=\"[^\"]*\"", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();

    [GeneratedRegex("token=[^\"&]*", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Token();
}
