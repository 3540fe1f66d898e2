using System.Net;
using System.Text.Json.Nodes;
using KcdDelegation.Gateway.Tests.SignIn;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace KcdDelegation.Gateway.Tests.SignOut;

/// <summary>The sign-out by the user and by the provider.</summary>
public sealed class SignOutTests
{
    private const string Session = "__Host-kcd-session";
    private const string SignOut = SignInSite.Erp + "/.kcd/sign-out";
    private const string BackChannel = SignInSite.Erp + "/.kcd/back-channel-logout";

    [Fact]
    public async Task A_user_who_confirms_signs_out_here_and_at_the_provider()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        var reference = browser.GetCookies()[Session];
        var page = await browser.NavigateAsync(SignOut);
        (page.Status, page.Location).ShouldBe((HttpStatusCode.OK, null));
        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.OK);

        var answer = await browser.NavigateAsync(SignInSite.Erp + FindLink(page.Body));
        answer.Status.ShouldBe(HttpStatusCode.SeeOther);
        answer.Location!.GetLeftPart(UriPartial.Path).ShouldBe(site.Provider.Issuer + "/end-session");
        var query = QueryHelpers.ParseQuery(answer.Location.Query);
        query["post_logout_redirect_uri"].ToString().ShouldBe(SignInSite.Erp + "/.kcd/signed-out");
        query["id_token_hint"].ToString().Split('.').Length.ShouldBe(3);
        browser.GetCookies().ShouldNotContainKey(Session);
        site.SessionFiles.ShouldBeEmpty();
        browser.GetCookies()[Session] = reference;
        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.Found);
        site.Gateway.Log.Find(6070).ShouldHaveSingleItem();
        site.Gateway.Log.Find(5010).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task The_front_page_needs_no_session_and_leads_back_to_the_application()
    {
        await using var site = await SignInSite.StartAsync();

        var page = await site.CreateBrowser().NavigateAsync(SignInSite.Erp + "/.kcd/signed-out?state=x");
        page.Status.ShouldBe(HttpStatusCode.OK);
        page.Body.ShouldContain("You are signed out");
        page.Body.ShouldContain("href=\"https://erp.contoso.test/\"");
        // The page reports no error.
        page.Body.ShouldContain("<main class=\"notice\">");
        page.Body.ShouldNotContain("Activity ID");
    }

    [Theory]
    [MemberData(nameof(SignInSite.OtherOrigins), MemberType = typeof(SignInSite))]
    [InlineData("")]
    public async Task A_form_of_another_site_signs_no_user_out(string origin)
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);

        await PostAsync(browser, origin);
        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_form_of_the_application_signs_the_user_out()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);

        (await PostAsync(browser, SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.SeeOther);
        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.Found);
    }

    [Fact]
    public async Task The_link_of_another_session_signs_no_user_out()
    {
        await using var site = await SignInSite.StartAsync();
        var (attacker, victim) = (site.CreateBrowser(), site.CreateBrowser());
        site.Provider.User = "bob";
        await attacker.OpenAsync(SignInSite.Erp);
        var link = FindLink((await attacker.NavigateAsync(SignOut)).Body);
        site.Provider.User = "ada";
        await victim.OpenAsync(SignInSite.Erp);

        (await victim.NavigateAsync(SignInSite.Erp + link)).Status.ShouldBe(HttpStatusCode.OK);
        (await victim.NavigateAsync(SignOut + "?token=x")).Status.ShouldBe(HttpStatusCode.OK);
        (await victim.NavigateAsync(SignInSite.Erp)).Body.ShouldContain("ada");
    }

    [Fact]
    public async Task A_sign_out_ends_the_sessions_at_all_applications_and_no_other_session_of_the_provider()
    {
        await using var site = await SignInSite.StartAsync();
        var (browser, phone) = (site.CreateBrowser(), site.CreateBrowser());
        await browser.OpenAsync(SignInSite.Erp);
        await browser.OpenAsync(SignInSite.Wiki);
        site.Provider.SessionId = "sid-2";
        await phone.OpenAsync(SignInSite.Erp);
        await PostAsync(browser, SignInSite.Erp);

        (await browser.NavigateAsync(SignInSite.Wiki)).Status.ShouldBe(HttpStatusCode.Found);
        (await phone.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_sign_out_without_a_session_or_an_answer_of_the_provider_leads_to_the_front_page()
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.ChangeDocument = static document => document.Remove("end_session_endpoint");
        var browser = site.CreateBrowser();
        (await PostAsync(browser, SignInSite.Erp)).Location!.AbsoluteUri.ShouldBe(SignInSite.Erp + "/.kcd/signed-out");
        await browser.OpenAsync(SignInSite.Erp);

        (await PostAsync(browser, SignInSite.Erp)).Location!.AbsoluteUri.ShouldBe(SignInSite.Erp + "/.kcd/signed-out");
    }

    [Fact]
    public async Task A_sign_out_ends_a_session_whose_tokens_cannot_be_refreshed_now()
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.Life = 1;
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        var reference = browser.GetCookies()[Session];
        site.Provider.RefreshError = "temporarily_unavailable";
        await Task.Delay(TimeSpan.FromSeconds(1.1), TestContext.Current.CancellationToken);

        (await PostAsync(browser, SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.SeeOther);

        // The provider works again, and would give new tokens to the session.
        site.Provider.RefreshError = null;
        site.SessionFiles.ShouldBeEmpty();
        browser.GetCookies().ShouldNotContainKey(Session);
        browser.GetCookies()[Session] = reference;
        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.Found);
        site.Provider.Refreshes.ShouldBe(0);
    }

    [Theory]
    [InlineData("ada", "sid-1", 1)]
    [InlineData(null, "sid-1", 1)]
    [InlineData("ada", null, 0)]
    [InlineData("bob", null, 2)]
    [InlineData(null, "unknown", 2)]
    public async Task A_back_channel_logout_ends_the_sessions_that_it_names(string? user, string? sessionId, int remaining)
    {
        await using var site = await SignInSite.StartAsync();
        var (browser, phone) = (site.CreateBrowser(), site.CreateBrowser());
        await browser.OpenAsync(SignInSite.Erp);
        site.Provider.SessionId = "sid-2";
        await phone.OpenAsync(SignInSite.Erp);

        var answer = await LogoutAsync(site, site.Provider.Sign(site.Provider.CreateLogoutClaims(user, sessionId), "logout+jwt"));
        answer.Status.ShouldBe(HttpStatusCode.OK);
        answer.Headers["Cache-Control"].ShouldBe("no-store");
        site.SessionFiles.Length.ShouldBe(remaining);
        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(remaining == 2 ? HttpStatusCode.OK : HttpStatusCode.Found);
    }

    [Fact]
    public async Task A_back_channel_logout_ends_open_streams()
    {
        await using var site = await SignInSite.StartAsync(
            wiki: static async context =>
            {
                while (!context.RequestAborted.IsCancellationRequested)
                {
                    await context.Response.WriteAsync("tick\n", context.RequestAborted);
                    await context.Response.Body.FlushAsync(context.RequestAborted);
                    await Task.Delay(50, context.RequestAborted);
                }
            });
        var browser = site.CreateBrowser();
        var request = await browser.NavigateAsync(SignInSite.Wiki);
        await browser.NavigateAsync(site.Provider.Authorize(request.Location!).AbsoluteUri);
        using var open = new HttpRequestMessage(HttpMethod.Get, SignInSite.Wiki + "/stream");
        open.Headers.Add("Cookie", $"{Session}={browser.GetCookies(SignInSite.Wiki)[Session]}");
        using var response = await site.Gateway.CreateClient().SendAsync(
            open, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        (await reader.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("tick");

        await LogoutAsync(site, site.Provider.Sign(site.Provider.CreateLogoutClaims()));
        // The connection is aborted: the stream has no proper end.
        await Should.ThrowAsync<IOException>(async () =>
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            while (await reader.ReadLineAsync(timeout.Token) is not null)
            {
            }
        });
    }

    [Theory]
    [InlineData("nonce", "\"n\"")]
    [InlineData("nonce", "null")]
    [InlineData("iss", "\"https://evil.example\"")]
    [InlineData("iss", null)]
    [InlineData("aud", "\"another\"")]
    [InlineData("aud", null)]
    [InlineData("iat", null)]
    [InlineData("iat", "4000000000")]
    [InlineData("exp", null)]
    [InlineData("exp", "1000000000")]
    [InlineData("jti", null)]
    [InlineData("jti", "1")]
    [InlineData("jti", "\"\"")]
    [InlineData("events", null)]
    [InlineData("events", "{}")]
    [InlineData("events", "\"http://schemas.openid.net/event/backchannel-logout\"")]
    [InlineData("events", "{\"http://schemas.openid.net/event/backchannel-logout\":true}")]
    [InlineData("events", "[\"http://schemas.openid.net/event/backchannel-logout\"]")]
    [InlineData("sub,sid", null)]
    [InlineData("sub", "1")]
    [InlineData("sid", "[\"sid-1\",\"sid-2\"]")]
    public async Task A_logout_token_that_breaks_a_rule_of_the_specification_is_refused(string claims, string? json)
    {
        await using var site = await SignInSite.StartAsync();
        await site.CreateBrowser().OpenAsync(SignInSite.Erp);
        var payload = site.Provider.CreateLogoutClaims();
        foreach (var claim in claims.Split(','))
        {
            payload.Remove(claim);
            if (json is not null)
                payload[claim] = JsonNode.Parse(json);
        }

        await ShouldBeRefusedAsync(site, site.Provider.Sign(payload, "logout+jwt"));
    }

    [Theory]
    [InlineData("JWT", "none")]
    [InlineData("at+jwt", "RS256")]
    [InlineData("secevent+jwt", "RS256")]
    public async Task A_logout_token_of_another_type_or_without_a_signature_is_refused(string type, string algorithm)
    {
        await using var site = await SignInSite.StartAsync();
        await site.CreateBrowser().OpenAsync(SignInSite.Erp);

        await ShouldBeRefusedAsync(site, site.Provider.Sign(site.Provider.CreateLogoutClaims(), type, algorithm));
    }

    [Fact]
    public async Task A_logout_token_with_another_signature_and_an_ID_token_are_refused()
    {
        await using var other = await SignInProvider.StartAsync();
        await using var site = await SignInSite.StartAsync();
        await site.CreateBrowser().OpenAsync(SignInSite.Erp);
        await ShouldBeRefusedAsync(site, other.Sign(site.Provider.CreateLogoutClaims(), "logout+jwt"));

        string? idToken = null;
        site.Provider.ChangeAnswer = answer => idToken = answer["id_token"]!.GetValue<string>();
        await site.CreateBrowser().OpenAsync(SignInSite.Erp);
        await ShouldBeRefusedAsync(site, idToken!, sessions: 2);
    }

    [Fact]
    public async Task A_logout_token_is_accepted_once()
    {
        await using var site = await SignInSite.StartAsync();
        var token = site.Provider.Sign(site.Provider.CreateLogoutClaims(), "logout+jwt");
        (await LogoutAsync(site, token)).Status.ShouldBe(HttpStatusCode.OK);
        await site.CreateBrowser().OpenAsync(SignInSite.Erp);

        await ShouldBeRefusedAsync(site, token);
    }

    [Fact]
    public async Task A_logout_token_that_was_accepted_is_no_ID_token()
    {
        await using var site = await SignInSite.StartAsync();
        var claims = site.Provider.CreateLogoutClaims();
        claims["upn"] = "ada@contoso.test";
        var token = site.Provider.Sign(claims, "logout+jwt");
        (await LogoutAsync(site, token)).Status.ShouldBe(HttpStatusCode.OK);
        site.Provider.ChangeAnswer = answer => answer["id_token"] = token;

        (await site.CreateBrowser().OpenAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.Forbidden);
        site.SessionFiles.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("logout_token=a&logout_token=b")]
    [InlineData("logout_token=")]
    [InlineData("token=a")]
    [InlineData("logout_token=not-a-token")]
    [InlineData("")]
    public async Task A_request_without_one_logout_token_is_refused(string form)
    {
        await using var site = await SignInSite.StartAsync();
        using var content = new StringContent(form, encoding: null, "application/x-www-form-urlencoded");
        using var response = await site.Gateway.CreateClient().PostAsync(BackChannel, content, TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        // The client waits for the answer before it sends the body.
        using var large = new HttpRequestMessage(HttpMethod.Post, BackChannel) { Headers = { ExpectContinue = true } };
        large.Content = new StringContent("logout_token=" + new string('a', 200_000), encoding: null, "application/x-www-form-urlencoded");
        using var refused = await site.Gateway.CreateClient().SendAsync(large, TestContext.Current.CancellationToken);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await site.CreateBrowser().NavigateAsync(BackChannel)).Status.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    private static async Task ShouldBeRefusedAsync(SignInSite site, string token, int sessions = 1)
    {
        var answer = await LogoutAsync(site, token);
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        answer.Headers["Cache-Control"].ShouldBe("no-store");
        answer.Body.ShouldBe("""{"error":"invalid_request"}""");
        site.SessionFiles.Length.ShouldBe(sessions);
        site.Gateway.Log.Find(6072).ShouldNotBeEmpty();
    }

    private static Task<Answer> LogoutAsync(SignInSite site, string token) => site.CreateBrowser().SendAsync(
        BackChannel, HttpMethod.Post,
        request => request.Content = new FormUrlEncodedContent([KeyValuePair.Create("logout_token", token)]));

    private static Task<Answer> PostAsync(TestBrowser browser, string origin) => browser.SendAsync(SignOut, HttpMethod.Post, request =>
    {
        request.Headers.Add("Sec-Fetch-Mode", "navigate");
        request.Headers.Add("Accept", "text/html");
        if (origin.Length > 0)
            request.Headers.Add("Origin", origin);
    });

    private static string FindLink(string page)
    {
        var start = page.IndexOf("/.kcd/sign-out?token=", StringComparison.Ordinal);
        start.ShouldBeGreaterThan(0);
        return WebUtility.HtmlDecode(page[start..page.IndexOf('"', start)]);
    }
}
