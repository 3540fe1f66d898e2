using KcdDelegation.InteropTests;
using Microsoft.Playwright;

namespace KcdDelegation.Gateway.Tests.Browser;

/// <summary>Every page of the gateway in Chromium, with screenshots in <c>artifacts/screenshots</c>.</summary>
public sealed class PageTests(EndToEnd endToEnd) : IClassFixture<EndToEnd>
{
    [Fact]
    public async Task A_host_without_an_application_has_a_page()
    {
        await using var session = await OpenAsync();

        (await session.Page.GotoAsync(endToEnd.Gateway.GetUrl("nothing")))!.Status.ShouldBe(404);
        await session.ShouldShowAsync("no-such-application", "There is no such application here");
    }

    [Fact]
    public async Task A_path_of_the_gateway_without_content_has_a_page()
    {
        await using var session = await OpenAsync();

        (await session.Page.GotoAsync(endToEnd.Gateway.GetUrl("erp", "/.kcd/nothing")))!.Status.ShouldBe(404);
        await session.ShouldShowAsync("no-such-page", "There is no such page here");
    }

    [Theory]
    [InlineData("cancel", "alice", "The user canceled the sign-in.")]
    [InlineData("continue", "disabled", "The account is disabled.")]
    public async Task An_error_of_the_provider_is_shown_once_and_can_be_tried_again(string button, string user, string description)
    {
        await using var session = await OpenAsync();
        var page = session.Page;
        await page.GotoAsync(endToEnd.Gateway.GetUrl("erp", "/?a=1"));
        await page.FillAsync("input[name=login]", user);
        await page.ClickAsync($"button[value={button}]");
        await EndToEnd.WaitForUrlAsync(page, EndToEnd.IsOfGateway);

        await session.ShouldShowAsync("sign-in-refused", "The identity provider did not sign you in");
        var text = await page.InnerTextAsync("body");
        text.ShouldContain("access_denied");
        text.ShouldContain(description);
        await page.ClickAsync("a:has-text(\"Try again\")");
        await EndToEnd.AnswerProviderAsync(page, "alice");
        page.Url.ShouldBe(endToEnd.Gateway.GetUrl("erp", "/?a=1"));
    }

    [Fact]
    public async Task An_answer_of_the_provider_without_a_sign_in_of_this_browser_has_a_page()
    {
        await using var session = await OpenAsync();

        var answer = "/.kcd/callback?code=x&state=y&iss=" + Uri.EscapeDataString(LabProvider.Ad.Authority);
        (await session.Page.GotoAsync(endToEnd.Gateway.GetUrl("erp", answer)))!.Status.ShouldBe(400);
        await session.ShouldShowAsync("sign-in-expired", "This sign-in is no longer valid");
    }

    [Fact]
    public async Task A_form_without_a_session_has_a_page_and_is_not_lost_in_a_redirect()
    {
        await using var session = await OpenAsync();
        await EndToEnd.SignInAsync(session.Page, endToEnd.Gateway.GetUrl("wiki"), "alice");
        await session.Page.Context.ClearCookiesAsync();
        await session.Page.EvaluateAsync(
            "() => { document.body.innerHTML = '<form method=post action=/save></form>'; document.forms[0].submit() }");
        await session.Page.Locator("h1:text-is('Sign in to use this application')").WaitForAsync();

        session.Page.Url.ShouldBe(endToEnd.Gateway.GetUrl("wiki", "/save"));
        await session.ShouldShowAsync("sign-in-required", "Sign in to use this application");
    }

    [Theory]
    [InlineData("sensitive")]
    [InlineData("unknown")]
    public async Task A_user_that_the_directory_refuses_has_a_page(string user)
    {
        await using var session = await OpenAsync();
        await EndToEnd.SignInAsync(session.Page, endToEnd.Gateway.GetUrl("erp"), user);

        await session.ShouldShowAsync($"delegation-refused-{user}", expectedTitle: null);
        (await session.Page.InnerTextAsync("body")).ShouldNotContain("REMOTE_USER");
    }

    [Fact]
    public async Task A_user_outside_of_the_required_group_has_a_page_and_a_member_has_none()
    {
        await using var session = await OpenAsync();
        await EndToEnd.SignInAsync(session.Page, endToEnd.Gateway.GetUrl("finance"), "bob");
        await session.ShouldShowAsync("user-not-permitted", "You do not have permission to use this application");

        await using var member = await OpenAsync();
        await EndToEnd.SignInAsync(member.Page, endToEnd.Gateway.GetUrl("finance"), "alice");
        (await member.Page.ContentAsync()).ShouldContain("REMOTE_USER=alice", Case.Insensitive);
    }

    [Fact]
    public async Task An_application_with_a_required_acr_asks_for_the_second_factor_after_a_sign_in_without_it()
    {
        await using var session = await OpenAsync();
        await EndToEnd.SignInAsync(session.Page, endToEnd.Gateway.GetUrl("erp"), "alice");

        await session.Page.GotoAsync(endToEnd.Gateway.GetUrl("vault"));
        EndToEnd.IsOfProvider(session.Page.Url).ShouldBeTrue(session.Page.Url);
        await EndToEnd.AnswerProviderAsync(session.Page, "alice");

        (await session.Page.ContentAsync()).ShouldContain("REMOTE_USER=alice", Case.Insensitive);
    }

    [Fact]
    public async Task A_backend_that_does_not_answer_has_a_page()
    {
        await using var session = await OpenAsync();
        await EndToEnd.SignInAsync(session.Page, endToEnd.Gateway.GetUrl("down"), "alice");

        await session.ShouldShowAsync("application-unavailable", "The application does not respond");
    }

    [Fact]
    public async Task A_provider_that_does_not_answer_has_a_page()
    {
        await using var session = await OpenAsync();

        (await session.Page.GotoAsync(endToEnd.Gateway.GetUrl("lost")))!.Status.ShouldBe(503);
        await session.ShouldShowAsync("identity-provider-unavailable", "Sign-in is temporarily unavailable");
    }

    [Fact]
    public async Task A_browser_that_loses_its_session_again_and_again_has_a_page()
    {
        await using var session = await OpenAsync();
        var url = endToEnd.Gateway.GetUrl("erp");
        await EndToEnd.SignInAsync(session.Page, url, "alice");
        for (var attempt = 0; attempt < 20 && await session.Page.TitleAsync() != "The sign-in does not last"; attempt++)
        {
            await session.Page.Context.ClearCookiesAsync(new BrowserContextClearCookiesOptions { Name = "__Host-kcd-session" });
            await session.Page.GotoAsync(url);
        }

        await session.ShouldShowAsync("sign-in-repeats", "The sign-in does not last");
    }

    [Fact]
    public async Task The_front_page_after_a_sign_out_signs_in_again()
    {
        await using var session = await OpenAsync();
        var url = endToEnd.Gateway.GetUrl("erp");
        await EndToEnd.SignInAsync(session.Page, url, "alice");
        await session.Page.GotoAsync(endToEnd.Gateway.GetUrl("erp", "/.kcd/sign-out"));
        await session.ShouldShowAsync("sign-out", expectedTitle: null);
        await EndToEnd.SignOutAsync(session.Page, url);
        await session.ShouldShowAsync("signed-out", expectedTitle: null);

        await session.Page.ClickAsync("a[href]");
        await EndToEnd.AnswerProviderAsync(session.Page, "alice");
        session.Page.Url.ShouldBe(url);
    }

    private async Task<Session> OpenAsync()
    {
        await endToEnd.StartAsync();
        var profile = await endToEnd.Browser.CreateUserAsync();
        return new Session(profile, await profile.NewPageAsync());
    }

    private sealed class Session : IAsyncDisposable
    {
        private readonly IBrowserContext _profile;
        private readonly List<string> _violations = [];

        public Session(IBrowserContext profile, IPage page)
        {
            (_profile, Page) = (profile, page);
            page.Console += (_, message) =>
            {
                if (message.Text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase))
                    _violations.Add(message.Text);
            };
        }

        public IPage Page { get; }

        /// <summary>Takes the screenshots of the page, and checks what every page must have.</summary>
        public async Task ShouldShowAsync(string name, string? expectedTitle)
        {
            await LabBrowser.TakeScreenshotsAsync(Page, name);
            if (expectedTitle is not null)
                (await Page.TitleAsync()).ShouldBe(expectedTitle);
            (await Page.TitleAsync()).ShouldNotBeEmpty();
            (await Page.GetAttributeAsync("html", "lang")).ShouldBe("en");
            (await Page.Locator("h1").CountAsync()).ShouldBe(1);
            _violations.ShouldBeEmpty();
        }

        public ValueTask DisposeAsync() => _profile.DisposeAsync();
    }
}
