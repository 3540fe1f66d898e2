using System.Net;
using KcdDelegation.Gateway.Sessions;
using KcdDelegation.Gateway.Tests.SignIn;

namespace KcdDelegation.Gateway.Tests.Sessions;

/// <summary>A folder of the state that cannot be written, as on a full or read-only disk.</summary>
public sealed class UnusableStateTests
{
    private const string Session = "__Host-kcd-session";

    [Fact]
    public async Task A_session_that_cannot_be_written_is_a_page_and_an_event_with_the_setting()
    {
        await using var site = await SignInSite.StartAsync();
        using var folder = new ReadOnlyFolder(Path.Combine(site.State, "sessions"));
        var browser = site.CreateBrowser();

        var answer = await browser.OpenAsync(SignInSite.Erp);

        answer.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Body.ShouldContain("Activity ID");
        answer.Headers["Cache-Control"].ShouldBe("no-store");
        browser.GetCookies().ShouldNotContainKey(Session);
        site.Gateway.Log.Find(6067).ShouldHaveSingleItem().ShouldContain("State");
    }

    [Fact]
    public async Task Without_keys_no_sign_in_begins_and_there_is_a_page()
    {
        ReadOnlyFolder? folder = null;
        await using var site = await SignInSite.StartAsync(settings =>
        {
            var keys = Path.Combine(settings["State"]!.GetValue<string>(), "keys");
            SessionFiles.CreatePrivateDirectory(keys);
            folder = new ReadOnlyFolder(keys);
        });
        using var release = folder;
        var browser = site.CreateBrowser();

        var answer = await browser.OpenAsync(SignInSite.Erp);

        answer.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Body.ShouldContain("Activity ID");
        browser.GetCookies().ShouldBeEmpty();
        site.Gateway.Log.Find(6067).ShouldHaveSingleItem().ShouldContain("State");
    }

    [Fact]
    public async Task New_tokens_that_cannot_be_written_do_not_fail_the_request()
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.Life = 10;
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        using var folder = new ReadOnlyFolder(Path.Combine(site.State, "sessions"));
        await Task.Delay(TimeSpan.FromSeconds(8.1), TestContext.Current.CancellationToken);

        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.OK);
        site.Gateway.Log.Find(6065).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_session_whose_file_cannot_be_deleted_ends_nevertheless()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp);
        var reference = browser.GetCookies()[Session];
        using (var folder = new ReadOnlyFolder(Path.Combine(site.State, "sessions")))
        {
            var logout = site.Provider.Sign(site.Provider.CreateLogoutClaims(), "logout+jwt");
            var answer = await browser.SendAsync(SignInSite.Erp + "/.kcd/back-channel-logout", HttpMethod.Post, request =>
                request.Content = new FormUrlEncodedContent([KeyValuePair.Create("logout_token", logout)]));

            answer.Status.ShouldBe(HttpStatusCode.OK);
            browser.GetCookies()[Session] = reference;
            (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.Found);
            site.Gateway.Log.Find(6068).ShouldHaveSingleItem();
        }
        (await browser.NavigateAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.Found);
    }
}
