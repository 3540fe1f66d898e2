using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace KcdDelegation.Gateway.Tests.Browser;

/// <summary>A WebSocket of a page, which outlives requests but not the session. The class runs next to the others, since a session lasts a
/// minute.</summary>
public sealed class WebSocketTests(EndToEnd endToEnd) : IClassFixture<EndToEnd>
{
    [Fact]
    public async Task A_WebSocket_ends_when_the_session_expires()
    {
        await endToEnd.StartAsync(settings => settings["Sessions"] = new JsonObject { ["AbsoluteLife"] = "00:01:00" });
        await using var profile = await endToEnd.Browser.CreateUserAsync();
        var page = await profile.NewPageAsync();
        await EndToEnd.SignInAsync(page, endToEnd.Gateway.GetUrl("wiki"), "alice");
        await OpenWebSocketAsync(page);
        await page.WaitForFunctionAsync("window.messages > 2");

        await page.WaitForFunctionAsync("window.hasClosed", null, new() { Timeout = 90_000 });
        (await EndToEnd.FetchAsync(page, ["/headers"]))[0].Status.ShouldBe(401);
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
