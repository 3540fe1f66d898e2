using System.Net;
using KcdDelegation.Gateway.Tests.SignIn;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>WebSockets that a page of another site opens with the session of the user.</summary>
public sealed class WebSocketOriginTests
{
    [Theory]
    [MemberData(nameof(SignInSite.OtherOrigins), MemberType = typeof(SignInSite))]
    [InlineData(null)]
    public async Task A_page_of_another_site_opens_no_WebSocket(string? origin)
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        (await browser.OpenAsync(SignInSite.Erp + "/")).Status.ShouldBe(HttpStatusCode.OK);
        var before = site.Gateway.Backend.Requests.Count;

        (await OpenWebSocketAsync(browser, origin)).Status.ShouldBe(HttpStatusCode.Forbidden);

        site.Gateway.Backend.Requests.Count.ShouldBe(before);
        site.Gateway.Log.Find(6010).ShouldHaveSingleItem().ShouldContain("Origin");
    }

    [Fact]
    public async Task A_page_of_the_application_reaches_it()
    {
        await using var site = await SignInSite.StartAsync();
        var browser = site.CreateBrowser();
        await browser.OpenAsync(SignInSite.Erp + "/");
        var before = site.Gateway.Backend.Requests.Count;

        (await OpenWebSocketAsync(browser, SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.OK);

        site.Gateway.Backend.Requests.Count.ShouldBe(before + 1);
    }

    private static Task<Answer> OpenWebSocketAsync(TestBrowser browser, string? origin) =>
        browser.SendAsync(SignInSite.Erp + "/socket", change: request =>
        {
            request.Headers.Add("Connection", "Upgrade");
            request.Headers.Add("Upgrade", "websocket");
            request.Headers.Add("Sec-WebSocket-Version", "13");
            request.Headers.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
            if (origin is not null)
                request.Headers.Add("Origin", origin);
        });
}
