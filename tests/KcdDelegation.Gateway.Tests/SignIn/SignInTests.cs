using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;

namespace KcdDelegation.Gateway.Tests.SignIn;

/// <summary>The sign-in of browsers with the authorization code flow, against a provider that answers as the test wants.</summary>
public sealed class SignInTests
{
    private const string Session = "__Host-kcd-session";
    private const string Callback = "https://erp.contoso.test/.kcd/callback";

    [Fact]
    public async Task A_user_opens_the_application_signs_in_and_sees_the_page_that_was_asked_for()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();

        var answer = await browser.OpenAsync(SignInSite.Erp + "/orders?id=7&x=%2F");

        answer.Status.ShouldBe(HttpStatusCode.OK);
        answer.Body.ShouldContain("ada");
        browser.GetCookies().Keys.Where(name => name.StartsWith("__Host-kcd-sign-in-", StringComparison.Ordinal)).ShouldBeEmpty();
        browser.GetCookies()[Session].Length.ShouldBe(43);
        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.OK);
        site.Gateway.Log.Find(6050).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task The_user_returns_to_the_address_that_was_asked_for()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        var request = await browser.NavigateAsync(SignInSite.Erp + "/orders?id=7&x=%2F");

        var answer = await browser.NavigateAsync(site.Provider.Authorize(request.Location!).AbsoluteUri);
        answer.Location!.AbsoluteUri.ShouldBe(SignInSite.Erp + "/orders?id=7&x=%2F");
        answer.Headers["Cache-Control"].ShouldBe("no-store");
        answer.Headers["Referrer-Policy"].ShouldBe("no-referrer");
    }

    [Fact]
    public async Task Changed_settings_in_the_middle_of_a_sign_in_let_it_end_unless_the_provider_is_another_one()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        var first = site.Provider.Authorize((await browser.NavigateAsync(SignInSite.Erp + "/orders")).Location!);
        site.Gateway.Settings["Sessions"] = new JsonObject { ["IdleLife"] = "00:30:00" };
        site.Gateway.Reload().ShouldBeTrue();
        (await browser.OpenAsync(first.AbsoluteUri)).Status.ShouldBe(HttpStatusCode.OK);

        // Without iss, the state alone tells which provider was asked.
        var second = site.Provider.Authorize(
            (await browser.NavigateAsync(SignInSite.Wiki)).Location!, static answer => answer.Remove("iss"));
        await using var other = await SignInProvider.StartAsync();
        other.SendsIssuer = false;
        site.Gateway.Settings["IdentityProviders"]!["other"] = SignInSite.CreateProvider(other, site.SecretPath);
        site.Gateway.Settings["Applications"]!["erp"]!["IdentityProvider"] = "test";
        site.Gateway.Settings["Applications"]!["wiki"]!["IdentityProvider"] = "other";
        site.Gateway.Reload().ShouldBeTrue();

        // The code of one provider is not sent to another one.
        (await browser.NavigateAsync(second.AbsoluteUri)).Status.ShouldBe(HttpStatusCode.BadRequest);
        other.TokenRequests.ShouldBeEmpty();
        browser.GetCookies(SignInSite.Wiki).ShouldNotContainKey("__Host-kcd-session");
    }

    [Fact]
    public async Task Two_users_have_separate_sessions()
    {
        await using var site = await SignInSite.StartAsync();
        var (ada, bob) = (site.CreateBrowser(), site.CreateBrowser());
        (await ada.OpenAsync(SignInSite.Erp)).Body.ShouldContain("ada");
        (site.Provider.User, site.Provider.SessionId) = ("bob", "sid-2");
        (await bob.OpenAsync(SignInSite.Erp)).Body.ShouldContain("bob");

        for (var i = 0; i < 10; i++)
        {
            (await ada.NavigateAsync(SignInSite.Erp)).Body.ShouldContain("ada");
            (await bob.NavigateAsync(SignInSite.Erp)).Body.ShouldContain("bob");
        }
    }

    [Fact]
    public async Task The_request_to_the_provider_has_only_addresses_of_the_settings()
    {
        await using var site = await SignInSite.StartAsync();
        var answer = await site.CreateBrowser().SendAsync(SignInSite.Erp, change: request =>
        {
            request.Headers.Add("Accept", "text/html");
            request.Headers.Add("X-Forwarded-Host", "evil.example");
            request.Headers.Add("X-Forwarded-Proto", "http");
            request.Headers.Add("Forwarded", "host=evil.example");
            request.Headers.Add("X-Original-Host", "evil.example");
        });

        answer.Status.ShouldBe(HttpStatusCode.Found);
        answer.Location!.AbsoluteUri.ShouldNotContain("evil");
        var query = QueryHelpers.ParseQuery(answer.Location.Query);
        query["redirect_uri"].ToString().ShouldBe(Callback);
        query["scope"].ToString().ShouldBe("openid profile offline_access");
        query["nonce"].ToString().Length.ShouldBe(43);
        query["code_challenge"].ToString().Length.ShouldBe(43);
    }

    [Theory]
    [InlineData("GET", "Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: document", 302)]
    [InlineData("GET", "Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: iframe", 302)]
    [InlineData("HEAD", "Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: document", 302)]
    [InlineData("GET", "Accept: text/html,*/*", 302)]
    [InlineData("GET", "Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: object", 401)]
    [InlineData("GET", "Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: document|Sec-Purpose: prefetch", 401)]
    [InlineData("GET", "Sec-Fetch-Mode: cors|Sec-Fetch-Dest: empty|Accept: text/html", 401)]
    [InlineData("GET", "Sec-Fetch-Mode: no-cors|Sec-Fetch-Dest: image", 401)]
    [InlineData("GET", "Accept: text/html|X-Requested-With: XMLHttpRequest", 401)]
    [InlineData("GET", "Accept: application/json", 401)]
    [InlineData("GET", "Accept: */*", 401)]
    [InlineData("GET", "", 401)]
    [InlineData("POST", "Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: document", 401)]
    [InlineData("POST", "Accept: application/json", 401)]
    [InlineData("PUT", "Accept: text/html", 401)]
    [InlineData("OPTIONS", "Sec-Fetch-Mode: cors", 401)]
    public async Task The_answer_without_a_session_fits_the_client(string method, string headers, int status)
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        var answer = await browser.SendAsync(SignInSite.Erp + "/x", new HttpMethod(method), request =>
        {
            foreach (var header in headers.Split('|', StringSplitOptions.RemoveEmptyEntries))
                request.Headers.TryAddWithoutValidation(header.Split(": ")[0], header.Split(": ")[1]);
        });

        ((int)answer.Status).ShouldBe(status);
        answer.Headers["Cache-Control"].ShouldContain("no-store");
        if (status == 302)
            return;
        browser.GetCookies().ShouldBeEmpty();
        answer.Headers["WWW-Authenticate"].ShouldBe("Bearer");
        site.Gateway.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_form_without_a_session_gets_a_page_that_says_that_it_was_not_sent()
    {
        await using var site = await SignInSite.StartAsync();

        var answer = await site.CreateBrowser().NavigateAsync(SignInSite.Erp + "/save", HttpMethod.Post);
        answer.Location.ShouldBeNull();
        answer.Body.ShouldContain("did not reach the application");
        answer.Body.ShouldContain("href=\"https://erp.contoso.test/\"");
    }

    [Fact]
    public async Task No_cookie_of_the_gateway_reaches_a_backend()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.NavigateAsync(SignInSite.Wiki + "/unfinished");
        await browser.OpenAsync(SignInSite.Wiki);
        browser.GetCookies(SignInSite.Wiki).Keys.ShouldContain(name => name.StartsWith("__Host-kcd-sign-in-", StringComparison.Ordinal));
        browser.GetCookies(SignInSite.Wiki)["own"] = "1";
        (await browser.NavigateAsync(SignInSite.Wiki)).Body.ShouldBe("the wiki");

        site.Gateway.Wiki.Received.Last().Headers["Cookie"].ShouldBe("own=1");
        site.Gateway.Wiki.Received.ShouldAllBe(
            request => !request.Headers.GetValueOrDefault("Cookie", "").Contains("kcd", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_error_of_the_provider_becomes_a_page_with_its_code_as_text_and_no_loop()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        var request = await browser.NavigateAsync(SignInSite.Erp + "/orders");
        const string Description = "AADSTS65004: <script>alert(1)</script> Correlation ID: 11111111-2222-3333-4444-555555555555 ";
        var address = site.Provider.Authorize(request.Location!, answer =>
        {
            answer.Remove("code");
            (answer["error"], answer["error_description"]) = ("access_denied", Description + new string('x', 2000));
        });

        var answer = await browser.NavigateAsync(address.AbsoluteUri);
        answer.Status.ShouldBe(HttpStatusCode.Forbidden);
        answer.Location.ShouldBeNull();
        answer.Body.ShouldContain("access_denied");
        answer.Body.ShouldContain("11111111-2222-3333-4444-555555555555");
        answer.Body.ShouldNotContain("<script");
        answer.Body.ShouldNotContain(new string('x', 500));
        answer.Body.ShouldContain("/.kcd/sign-in?return=%2Forders&amp;select=1");
        browser.GetCookies().ShouldNotContainKey(Session);
        site.Gateway.Log.Find(6051).ShouldHaveSingleItem().ShouldContain("access_denied");
    }

    [Fact]
    public async Task Trying_again_after_an_error_asks_for_the_account_and_returns_to_the_page()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        var request = await browser.NavigateAsync(SignInSite.Erp + "/.kcd/sign-in?return=%2Forders&select=1");

        QueryHelpers.ParseQuery(request.Location!.Query)["prompt"].ToString().ShouldBe("select_account");
        var answer = await browser.NavigateAsync(site.Provider.Authorize(request.Location).AbsoluteUri);
        answer.Location!.AbsoluteUri.ShouldBe(SignInSite.Erp + "/orders");
    }

    [Theory]
    [InlineData("login select_account", "select_account")]
    [InlineData("none login consent", "login")]
    public async Task Trying_again_uses_a_prompt_that_the_provider_lists(string prompts, string expected)
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.ChangeDocument = document =>
            document["prompt_values_supported"] = new JsonArray([.. prompts.Split(' ').Select(prompt => JsonValue.Create(prompt))]);
        var request = await site.CreateBrowser().NavigateAsync(SignInSite.Erp + "/.kcd/sign-in?return=%2Forders&select=1");

        QueryHelpers.ParseQuery(request.Location!.Query)["prompt"].ToString().ShouldBe(expected);
    }

    [Fact]
    public async Task The_answer_to_a_sign_in_of_another_browser_is_refused()
    {
        await using var site = await SignInSite.StartAsync();
        var (attacker, victim) = (site.CreateBrowser(), site.CreateBrowser());
        var address = site.Provider.Authorize((await attacker.NavigateAsync(SignInSite.Erp)).Location!);
        // The victim has begun a sign-in too.
        await victim.NavigateAsync(SignInSite.Erp);

        var answer = await victim.NavigateAsync(address.AbsoluteUri);
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        answer.Body.ShouldContain("no longer valid");
        victim.GetCookies().ShouldNotContainKey(Session);
        site.SessionFiles.ShouldBeEmpty();
        site.Provider.TokenRequests.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_answer_is_accepted_once_even_if_the_client_keeps_its_cookie()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        var address = site.Provider.Authorize((await browser.NavigateAsync(SignInSite.Erp)).Location!).AbsoluteUri;
        var cookies = browser.GetCookies().ToArray();
        (await browser.NavigateAsync(address)).Status.ShouldBe(HttpStatusCode.Found);
        (await browser.NavigateAsync(address)).Status.ShouldBe(HttpStatusCode.BadRequest);
        foreach (var (name, value) in cookies)
            browser.GetCookies()[name] = value;

        (await browser.NavigateAsync(address)).Status.ShouldBe(HttpStatusCode.BadRequest);
        site.Provider.TokenRequests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("state")]
    [InlineData("CfDJ8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_state_that_is_lost_or_invented_gets_a_page(string state)
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.NavigateAsync(SignInSite.Erp);

        var answer = await browser.NavigateAsync($"{Callback}?code=c&state={state}&iss={Uri.EscapeDataString(site.Provider.Issuer)}");
        answer.Status.ShouldBe(HttpStatusCode.BadRequest);
        answer.Body.ShouldContain("Try again");
        browser.GetCookies().ShouldNotContainKey(Session);
    }

    [Theory]
    [InlineData("https://evil.example", true)]
    [InlineData("https://evil.example", false)]
    [InlineData(null, true)]
    [InlineData("same/", true)]
    public async Task An_answer_of_another_issuer_is_refused(string? issuer, bool isAnnounced)
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.SendsIssuer = isAnnounced;
        var browser = site.CreateBrowser();
        var request = await browser.NavigateAsync(SignInSite.Erp);
        var address = site.Provider.Authorize(request.Location!, answer =>
        {
            answer.Remove("iss");
            if (issuer is not null)
                answer["iss"] = issuer == "same/" ? site.Provider.Issuer + "/" : issuer;
        });

        (await browser.NavigateAsync(address.AbsoluteUri)).Status.ShouldBe(HttpStatusCode.Forbidden);
        browser.GetCookies().ShouldNotContainKey(Session);
        site.Provider.TokenRequests.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_answer_without_iss_is_accepted_from_a_provider_that_does_not_announce_it()
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.SendsIssuer = false;

        (await site.CreateBrowser().OpenAsync(SignInSite.Erp)).Body.ShouldContain("ada");
    }

    [Theory]
    [InlineData("code")]
    [InlineData("state")]
    [InlineData("iss")]
    public async Task An_answer_with_a_parameter_twice_is_refused(string name)
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        var address = site.Provider.Authorize((await browser.NavigateAsync(SignInSite.Erp)).Location!).AbsoluteUri;
        var value = QueryHelpers.ParseQuery(new Uri(address).Query)[name].ToString();

        (await browser.NavigateAsync($"{address}&{name}={Uri.EscapeDataString(value)}")).Status.ShouldBe(HttpStatusCode.Forbidden);
        browser.GetCookies().ShouldNotContainKey(Session);
    }

    [Fact]
    public async Task The_answer_of_one_provider_is_not_accepted_for_another()
    {
        await using var other = await SignInProvider.StartAsync();
        await using var site = await SignInSite.StartAsync(settings =>
        {
            var secret = settings["IdentityProviders"]!["test"]!["SignIn"]!["ClientSecretFile"]!.GetValue<string>();
            settings["IdentityProviders"]!["other"] = SignInSite.CreateProvider(other, secret);
            settings["Applications"]!["erp"]!["IdentityProvider"] = "test";
            settings["Applications"]!["wiki"]!["IdentityProvider"] = "other";
        });
        // The attacker's provider gets the request for the honest one, and answers with a state of its own (RFC 9207 §1).
        var browser = site.CreateBrowser();
        var honest = await browser.NavigateAsync(SignInSite.Erp);
        var mixed = site.Provider.Authorize(honest.Location!, answer => answer["iss"] = other.Issuer);
        (await browser.NavigateAsync(mixed.AbsoluteUri)).Status.ShouldBe(HttpStatusCode.Forbidden);

        var wiki = other.Authorize((await browser.NavigateAsync(SignInSite.Wiki)).Location!);
        (await browser.NavigateAsync(Callback + wiki.Query)).Status.ShouldNotBe(HttpStatusCode.Found);
        browser.GetCookies().ShouldNotContainKey(Session);
        other.TokenRequests.ShouldBeEmpty();
        site.Provider.TokenRequests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("nonce", "another")]
    [InlineData("nonce", null)]
    [InlineData("aud", "another-client")]
    [InlineData("iss", "https://evil.example")]
    [InlineData("sub", null)]
    [InlineData("exp", "1")]
    [InlineData("azp", "another-client")]
    public async Task An_ID_token_that_the_library_does_not_accept_signs_no_user_in(string claim, string? value)
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.ChangeIdToken = claims =>
        {
            claims.Remove(claim);
            if (value is not null)
                claims[claim] = claim == "exp" ? JsonValue.Create(1) : JsonValue.Create(value);
        };

        var browser = site.CreateBrowser();
        var answer = await browser.OpenAsync(SignInSite.Erp);
        answer.Status.ShouldBe(HttpStatusCode.Forbidden);
        answer.Body.ShouldContain("does not accept the sign-in");
        browser.GetCookies().ShouldNotContainKey(Session);
        site.SessionFiles.ShouldBeEmpty();
        site.Gateway.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_ID_token_without_a_signature_is_not_accepted()
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.ChangeAnswer = answer =>
        {
            var payload = answer["id_token"]!.GetValue<string>().Split('.')[1];
            var claims = JsonNode.Parse(Microsoft.IdentityModel.Tokens.Base64UrlEncoder.Decode(payload))!;
            answer["id_token"] = site.Provider.Sign(claims.AsObject(), algorithm: "none");
        };

        (await site.CreateBrowser().OpenAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.Forbidden);
        site.SessionFiles.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_user_who_is_delegated_is_the_one_of_the_token_that_the_settings_name()
    {
        await using var site = await SignInSite.StartAsync(static settings =>
            settings["IdentityProviders"]!["test"]!["SignIn"]!["Caller"] = "AccessToken");
        site.Provider.ChangeIdToken = static claims => claims["upn"] = "other@contoso.test";

        (await site.CreateBrowser().OpenAsync(SignInSite.Erp)).Body.ShouldContain("ada");
    }

    [Theory]
    [InlineData("sub", "eve")]
    [InlineData("aud", "api://another")]
    [InlineData(null, null)]
    public async Task An_access_token_of_another_user_or_audience_and_a_missing_one_sign_no_user_in(string? claim, string? value)
    {
        await using var site = await SignInSite.StartAsync(static settings =>
            settings["IdentityProviders"]!["test"]!["SignIn"]!["Caller"] = "AccessToken");
        if (claim is not null)
            site.Provider.ChangeAccessToken = claims => claims[claim] = value;
        else
            site.Provider.ChangeAnswer = static answer => answer.Remove("access_token");

        (await site.CreateBrowser().OpenAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.Forbidden);
        site.SessionFiles.ShouldBeEmpty();
    }

    [Fact]
    public async Task Forty_unfinished_tabs_leave_a_bounded_number_of_cookies_and_the_last_tabs_can_finish()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        var requests = new List<Uri>();
        for (var i = 0; i < 40; i++)
            requests.Add((await browser.NavigateAsync(SignInSite.Erp + "/tab" + i)).Location!);

        browser.GetCookies().Count.ShouldBe(8);
        browser.GetCookies().Sum(cookie => cookie.Key.Length + cookie.Value.Length + 3).ShouldBeLessThan(600);
        (await browser.NavigateAsync(site.Provider.Authorize(requests[38]).AbsoluteUri)).Location!.AbsolutePath.ShouldBe("/tab38");
        (await browser.NavigateAsync(site.Provider.Authorize(requests[39]).AbsoluteUri)).Location!.AbsolutePath.ShouldBe("/tab39");
        (await browser.NavigateAsync(site.Provider.Authorize(requests[0]).AbsoluteUri)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await browser.NavigateAsync(SignInSite.Erp)).Body.ShouldContain("ada");
    }

    [Fact]
    public async Task Tabs_that_sign_in_at_once_all_finish_and_pending_requests_are_served()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        var requests = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => browser.NavigateAsync($"{SignInSite.Erp}/tab{i}")));
        foreach (var request in requests)
        {
            (await browser.NavigateAsync(site.Provider.Authorize(request.Location!).AbsoluteUri)).Status.ShouldBe(HttpStatusCode.Found);
            var before = browser.GetCookies()[Session];
            (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.OK);
            browser.GetCookies()[Session].ShouldBe(before);
        }
    }

    [Fact]
    public async Task A_sign_in_replaces_the_reference_and_ends_the_session_of_another_user()
    {
        await using var site = await SignInSite.StartAsync();
        var (attacker, victim) = (site.CreateBrowser(), site.CreateBrowser());
        site.Provider.User = "bob";
        await attacker.OpenAsync(SignInSite.Erp);
        var known = attacker.GetCookies()[Session];
        victim.GetCookies()[Session] = known;
        site.Provider.User = "ada";
        await victim.OpenAsync(SignInSite.Erp + "/.kcd/sign-in");

        victim.GetCookies()[Session].ShouldNotBe(known);
        (await victim.NavigateAsync(SignInSite.Erp)).Body.ShouldContain("ada");
        (await attacker.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.Found);
    }

    [Fact]
    public async Task A_session_is_of_one_application_and_two_cookies_are_none()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        var reference = browser.GetCookies()[Session];
        browser.GetCookies(SignInSite.Wiki)[Session] = reference;
        (await browser.NavigateAsync(SignInSite.Wiki)).Status.ShouldBe(HttpStatusCode.Found);

        var answer = await site.CreateBrowser().SendAsync(SignInSite.Erp, change: request =>
            request.Headers.TryAddWithoutValidation("Cookie", $"{Session}={reference}; {Session}={new string('A', 43)}"));
        answer.Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_required_acr_is_asked_for_at_the_first_sign_in()
    {
        await using var site = await SignInSite.StartAsync(static settings => settings["Applications"]!["erp"]!["RequiredAcr"] = "mfa");
        var browser = site.CreateBrowser();
        var request = await browser.NavigateAsync(SignInSite.Erp);
        var query = QueryHelpers.ParseQuery(request.Location!.Query);

        query["acr_values"].ToString().ShouldBe("mfa");
        query.ShouldNotContainKey("prompt");
        (await browser.NavigateAsync(site.Provider.Authorize(request.Location).AbsoluteUri)).Status.ShouldBe(HttpStatusCode.Found);
        (await browser.NavigateAsync(SignInSite.Erp)).Body.ShouldContain("ada");
    }

    [Fact]
    public async Task A_session_without_a_newly_required_acr_steps_up_and_a_provider_that_does_not_is_no_loop()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        site.Gateway.Settings["Applications"]!["erp"]!["RequiredAcr"] = "mfa";
        site.Gateway.Reload().ShouldBeTrue();
        var request = await browser.NavigateAsync(SignInSite.Erp);
        var query = QueryHelpers.ParseQuery(request.Location!.Query);
        (query["acr_values"].ToString(), query["prompt"].ToString()).ShouldBe(("mfa", "login"));

        site.Provider.ChangeIdToken = static claims => claims["acr"] = "pwd";
        var refused = await browser.NavigateAsync(site.Provider.Authorize(request.Location).AbsoluteUri);
        (refused.Status, refused.Location).ShouldBe((HttpStatusCode.Forbidden, null));
        refused.Body.ShouldContain("requires a stronger sign-in");
        site.Provider.ChangeIdToken = static _ => { };
        (await browser.OpenAsync(SignInSite.Erp)).Body.ShouldContain("ada");
    }

    [Fact]
    public async Task A_browser_whose_sessions_do_not_last_gets_a_page_instead_of_a_loop()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        Answer answer;
        var count = 0;
        do
        {
            answer = await browser.NavigateAsync(SignInSite.Erp);
            if (answer.Location is { } location)
                answer = await browser.NavigateAsync(site.Provider.Authorize(location).AbsoluteUri);
            browser.GetCookies().Remove(Session);
        }
        while (answer.Status == HttpStatusCode.Found && ++count < 50);

        answer.Status.ShouldBe(HttpStatusCode.Forbidden);
        answer.Body.ShouldContain("does not last");
        count.ShouldBe(10);
        site.Gateway.Log.Find(6052).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Without_the_provider_there_is_a_page_and_no_cookie()
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.IsDown = true;
        var browser = site.CreateBrowser();

        var answer = await browser.NavigateAsync(SignInSite.Erp);
        answer.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Body.ShouldContain("does not respond");
        browser.GetCookies().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("issuer", "https://evil.example")]
    [InlineData("authorization_endpoint", "javascript:alert(1)")]
    [InlineData("token_endpoint", "http://evil.example/token")]
    [InlineData("end_session_endpoint", "http://evil.example/")]
    public async Task Metadata_of_another_issuer_or_with_unsafe_addresses_is_not_used(string name, string value)
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.ChangeDocument = document => document[name] = value;

        var answer = await site.CreateBrowser().NavigateAsync(SignInSite.Erp);
        (answer.Status, answer.Location).ShouldBe((HttpStatusCode.ServiceUnavailable, null));
    }

    [Fact]
    public async Task A_changed_secret_is_used_for_the_next_sign_in()
    {
        await using var site = await SignInSite.StartAsync();
        await File.WriteAllTextAsync(site.SecretPath, "old", TestContext.Current.CancellationToken);
        var answer = await site.CreateBrowser().OpenAsync(SignInSite.Erp);
        answer.Status.ShouldBe(HttpStatusCode.Forbidden);
        answer.Body.ShouldContain("invalid_client");
        await File.WriteAllTextAsync(site.SecretPath, SignInProvider.Secret, TestContext.Current.CancellationToken);

        (await site.CreateBrowser().OpenAsync(SignInSite.Erp)).Body.ShouldContain("ada");
    }

    [Fact]
    public async Task A_session_survives_a_restart_of_the_gateway()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        await site.Gateway.StopAsync();
        await site.Gateway.StartAsync();
        var after = site.CreateBrowser();
        after.GetCookies()[Session] = browser.GetCookies()[Session];

        (await after.NavigateAsync(SignInSite.Erp)).Body.ShouldContain("ada");
    }

    [Fact]
    public async Task Fifty_parallel_requests_after_the_end_of_the_tokens_cause_one_refresh()
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.Life = 2;
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        site.Provider.Life = 3600;
        await Task.Delay(TimeSpan.FromSeconds(2.1), TestContext.Current.CancellationToken);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => browser.NavigateAsync(SignInSite.Erp)));
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.OK && answer.Body.Contains("ada", StringComparison.Ordinal));
        site.Provider.Refreshes.ShouldBe(1);
        site.Gateway.Log.Find(6063).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("invalid_grant", HttpStatusCode.Found)]
    [InlineData("interaction_required", HttpStatusCode.Found)]
    [InlineData("temporarily_unavailable", HttpStatusCode.OK)]
    [InlineData("invalid_client", HttpStatusCode.OK)]
    public async Task A_refresh_that_the_provider_refuses_ends_the_session_and_a_failure_does_not(string error, HttpStatusCode expected)
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.Life = 10;
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        site.Provider.RefreshError = error;
        await Task.Delay(TimeSpan.FromSeconds(8.1), TestContext.Current.CancellationToken);

        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(expected);
        site.Provider.Refreshes.ShouldBe(1);
        site.SessionFiles.Length.ShouldBe(expected == HttpStatusCode.OK ? 1 : 0);
    }

    [Fact]
    public async Task New_tokens_of_another_user_end_the_session()
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.Life = 2;
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        site.Provider.ChangeIdToken = static claims => (claims["sub"], claims["upn"]) = ("bob", "bob@contoso.test");
        await Task.Delay(TimeSpan.FromSeconds(2.1), TestContext.Current.CancellationToken);

        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.Found);
        site.SessionFiles.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET", "/.kcd/unknown", 404)]
    [InlineData("GET", "/.KCD/unknown", 404)]
    [InlineData("GET", "/.kcd", 404)]
    [InlineData("POST", "/.kcd/callback", 405)]
    [InlineData("POST", "/.kcd/sign-in", 405)]
    public async Task The_paths_of_the_gateway_never_reach_a_backend(string method, string path, int status)
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Wiki);
        var before = site.Gateway.Wiki.Received.Count;

        ((int)(await browser.NavigateAsync(SignInSite.Wiki + path, new HttpMethod(method))).Status).ShouldBe(status);
        site.Gateway.Wiki.Received.Count.ShouldBe(before);
    }

    [Theory]
    [InlineData("State", "State")]
    [InlineData("ClientId", "Token:ClientId")]
    [InlineData("IdleLife", "Sessions:IdleLife")]
    public async Task Settings_with_which_users_cannot_sign_in_are_refused_by_their_key(string change, string key)
    {
        var error = await Should.ThrowAsync<Gateway.Settings.GatewaySettingsException>(() => SignInSite.StartAsync(settings =>
        {
            if (change == "State")
                settings.Remove("State");
            else if (change == "ClientId")
                settings["IdentityProviders"]!["test"]!["Token"]!.AsObject().Remove("ClientId");
            else
                settings["Sessions"] = new JsonObject { ["IdleLife"] = "00:00:10" };
        }));

        error.Message.ShouldContain(key);
    }
}
