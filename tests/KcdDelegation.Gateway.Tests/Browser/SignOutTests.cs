using KcdDelegation.InteropTests;
using Microsoft.Playwright;

namespace KcdDelegation.Gateway.Tests.Browser;

/// <summary>The end of sessions by the user and by the provider.</summary>
public sealed class SignOutTests(EndToEnd endToEnd) : IClassFixture<EndToEnd>
{
    [Fact]
    public async Task After_a_sign_out_neither_the_browser_nor_a_copy_of_its_cookies_has_access()
    {
        await endToEnd.StartAsync();
        await using var profile = await endToEnd.Browser.CreateUserAsync();
        var page = await profile.NewPageAsync();
        var url = endToEnd.Gateway.GetUrl("erp");
        await EndToEnd.SignInAsync(page, url, "alice");
        var copy = await profile.CookiesAsync([url]);
        copy.ShouldNotBeEmpty();

        await EndToEnd.SignOutAsync(page, url);
        page.Url.ShouldStartWith(endToEnd.Gateway.GetUrl("erp", "/.kcd/signed-out"));

        await page.GotoAsync(url);
        EndToEnd.IsOfProvider(page.Url).ShouldBeTrue(page.Url);
        await profile.AddCookiesAsync(copy.Select(cookie => new Cookie
        {
            Name = cookie.Name, Value = cookie.Value, Url = url, HttpOnly = true, Secure = true,
        }));
        await page.GotoAsync(url);
        EndToEnd.IsOfProvider(page.Url).ShouldBeTrue(page.Url);
    }

    [Fact]
    public async Task A_logout_by_the_provider_ends_every_session_of_that_user_only()
    {
        await endToEnd.StartAsync();
        await using var first = await endToEnd.Browser.CreateUserAsync();
        await using var second = await endToEnd.Browser.CreateUserAsync();
        await using var other = await endToEnd.Browser.CreateUserAsync();
        var url = endToEnd.Gateway.GetUrl("erp");
        var (office, home, bob) = (await first.NewPageAsync(), await second.NewPageAsync(), await other.NewPageAsync());
        // The lab's provider can have sessions of an earlier run, whose gateway no longer exists.
        await Lab.RunScriptAsync("provider", ["logout", "jürgen"], TestContext.Current.CancellationToken);
        await EndToEnd.SignInAsync(office, url, "jürgen");
        await EndToEnd.SignInAsync(home, url, "jürgen");
        await EndToEnd.SignInAsync(bob, url, "bob");

        var answers = await Lab.RunScriptAsync("provider", ["logout", "jürgen"], TestContext.Current.CancellationToken);

        answers.ShouldContain(" ok");
        answers.ShouldNotContain("failed");
        (await EndToEnd.FetchAsync(office, ["/"]))[0].Status.ShouldBe(401);
        (await EndToEnd.FetchAsync(home, ["/"]))[0].Status.ShouldBe(401);
        (await EndToEnd.FetchAsync(bob, ["/"]))[0].Status.ShouldBe(200);
        await office.GotoAsync(url);
        EndToEnd.IsOfProvider(office.Url).ShouldBeTrue(office.Url);
    }

    [Fact]
    public async Task A_WebSocket_ends_with_the_sign_out_in_another_tab()
    {
        await endToEnd.StartAsync();
        await using var profile = await endToEnd.Browser.CreateUserAsync();
        var page = await profile.NewPageAsync();
        await EndToEnd.SignInAsync(page, endToEnd.Gateway.GetUrl("wiki"), "alice");
        await OpenWebSocketAsync(page);
        await page.WaitForFunctionAsync("window.messages > 2");

        var tab = await profile.NewPageAsync();
        await EndToEnd.SignOutAsync(tab, endToEnd.Gateway.GetUrl("wiki"));

        await page.WaitForFunctionAsync("window.hasClosed");
    }

    private static async Task OpenWebSocketAsync(IPage page) => await page.EvaluateAsync(
        """
        () => {
            window.messages = 0;
            window.hasClosed = false;
            const socket = new WebSocket(location.origin.replace('https', 'wss') + '/ws');
            socket.onmessage = () => window.messages++;
            socket.onclose = () => window.hasClosed = true;
        }
        """);
}
