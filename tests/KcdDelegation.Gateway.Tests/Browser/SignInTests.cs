using Microsoft.Playwright;

namespace KcdDelegation.Gateway.Tests.Browser;

/// <summary>Users of Debian's Chromium in front of the gateway: a provider that is not ours, and the lab's Apache.</summary>
public sealed class SignInTests(EndToEnd endToEnd) : IClassFixture<EndToEnd>
{
    private const int Requests = 300;
    private const int RequestsAtOnce = 10;

    [Fact]
    public async Task Two_users_each_see_their_own_name_300_times_with_a_sign_out_in_the_middle()
    {
        await endToEnd.StartAsync();
        await using var aliceProfile = await endToEnd.Browser.CreateUserAsync();
        await using var bobProfile = await endToEnd.Browser.CreateUserAsync();
        var (alice, bob) = (await aliceProfile.NewPageAsync(), await bobProfile.NewPageAsync());
        var url = endToEnd.Gateway.GetUrl("erp");
        await EndToEnd.SignInAsync(alice, url, "alice");
        await EndToEnd.SignInAsync(bob, url, "bob");
        await ShouldShowAsync(alice, "alice");
        await ShouldShowAsync(bob, "bob");

        for (var sent = 0; sent < Requests; sent += 2 * RequestsAtOnce)
        {
            if (sent == Requests / 2 / (2 * RequestsAtOnce) * (2 * RequestsAtOnce))
            {
                await EndToEnd.SignOutAsync(alice, url);
                await ShouldFetchAsync(bob, "bob");
                await EndToEnd.SignInAsync(alice, url, "alice");
            }
            await Task.WhenAll(ShouldFetchAsync(alice, "alice"), ShouldFetchAsync(bob, "bob"));
        }
    }

    [Fact]
    public async Task Tabs_that_were_opened_at_once_each_return_to_their_own_address()
    {
        await endToEnd.StartAsync();
        await using var profile = await endToEnd.Browser.CreateUserAsync();
        var tabs = await Task.WhenAll(Enumerable.Range(0, 5).Select(async i =>
        {
            var page = await profile.NewPageAsync();
            var url = endToEnd.Gateway.GetUrl("erp", $"/?tab={i}&text=a%2Fb%20c");
            await page.GotoAsync(url);
            return (Page: page, Url: url);
        }));

        foreach (var (page, _) in tabs)
            EndToEnd.IsOfProvider(page.Url).ShouldBeTrue(page.Url);
        foreach (var (page, url) in tabs)
        {
            await EndToEnd.AnswerProviderAsync(page, "alice");
            page.Url.ShouldBe(url);
            await ShouldShowAsync(page, "alice");
        }
        // No sign-in is pending any more.
        (await profile.CookiesAsync([endToEnd.Gateway.GetUrl("erp")])).Select(cookie => cookie.Name)
            .ShouldBe(["__Host-kcd-session", "__Host-kcd-signed-in"], ignoreOrder: true);
    }

    [Fact]
    public async Task Applications_with_different_providers_show_their_own_user_in_one_browser()
    {
        await endToEnd.StartAsync();
        await using var profile = await endToEnd.Browser.CreateUserAsync();
        var (erp, hr) = (await profile.NewPageAsync(), await profile.NewPageAsync());

        await EndToEnd.SignInAsync(erp, endToEnd.Gateway.GetUrl("erp"), "alice");
        await EndToEnd.SignInAsync(hr, endToEnd.Gateway.GetUrl("hr"), "bob");

        for (var round = 0; round < 3; round++)
            await Task.WhenAll(ShouldFetchAsync(erp, "alice"), ShouldFetchAsync(hr, "bob"));
        await hr.ReloadAsync();
        (await hr.ContentAsync()).ShouldContain("@MIT.TEST ");
        await erp.ReloadAsync();
        (await erp.ContentAsync()).ShouldContain("@AD.TEST ");
    }

    [Fact]
    public async Task A_second_application_with_the_same_provider_needs_no_second_sign_in()
    {
        await endToEnd.StartAsync();
        await using var profile = await endToEnd.Browser.CreateUserAsync();
        var page = await profile.NewPageAsync();
        await EndToEnd.SignInAsync(page, endToEnd.Gateway.GetUrl("erp"), "alice");

        await page.GotoAsync(endToEnd.Gateway.GetUrl("wiki", "/headers"));

        var headers = await page.InnerTextAsync("body");
        headers.ShouldContain("host:", Case.Insensitive);
        // The application gets neither the session nor a token.
        headers.ShouldNotContain("kcd-session");
        headers.ShouldNotContain("Authorization", Case.Insensitive);
    }

    [Fact]
    public async Task A_script_without_a_session_gets_401_and_no_page_of_the_provider()
    {
        await endToEnd.StartAsync();
        await using var profile = await endToEnd.Browser.CreateUserAsync();
        var page = await profile.NewPageAsync();
        await EndToEnd.SignInAsync(page, endToEnd.Gateway.GetUrl("erp"), "alice");
        await profile.ClearCookiesAsync();

        (await EndToEnd.FetchAsync(page, ["/"]))[0].Status.ShouldBe(401);
    }

    private static async Task ShouldShowAsync(IPage page, string user) =>
        (await page.ContentAsync()).ShouldContain($"REMOTE_USER={user}", Case.Insensitive);

    private static async Task ShouldFetchAsync(IPage page, string user)
    {
        foreach (var answer in await EndToEnd.FetchAsync(page, Enumerable.Range(0, RequestsAtOnce).Select(i => $"/?request={i}")))
        {
            answer.Status.ShouldBe(200, answer.Body);
            answer.Body.ShouldContain($"REMOTE_USER={user}", Case.Insensitive);
        }
    }
}
