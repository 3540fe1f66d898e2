using System.Text.Json.Nodes;
using KcdDelegation.InteropTests;
using Microsoft.Playwright;

namespace KcdDelegation.Gateway.Tests.Browser;

/// <summary>One browser and one gateway for the tests of a class. They start with the first test that needs them.</summary>
public sealed class EndToEnd : IAsyncDisposable
{
    private LabBrowser? _browser;
    private LabGateway? _gateway;

    internal LabBrowser Browser => _browser!;

    internal LabGateway Gateway => _gateway!;

    /// <summary>Starts what is not running, or skips the test without the lab.</summary>
    /// <param name="change">Changes the settings of the gateway.</param>
    internal async Task StartAsync(Action<JsonObject>? change = null)
    {
        LabGateway.Require();
        _gateway ??= await LabGateway.StartAsync(change);
        _browser ??= await LabBrowser.StartAsync();
    }

    /// <summary>Opens an address and signs the user in at the provider, if the provider asks.</summary>
    internal static async Task SignInAsync(IPage page, string url, string user)
    {
        await page.GotoAsync(url);
        await AnswerProviderAsync(page, user);
    }

    /// <summary>Enters the user's name on the provider's page.</summary>
    internal static async Task AnswerProviderAsync(IPage page, string user)
    {
        await page.FillAsync("input[name=login]", user);
        await page.ClickAsync("button[value=continue]");
        await WaitForUrlAsync(
            page, address => IsOfGateway(address) && !new Uri(address).AbsolutePath.StartsWith("/.kcd/", StringComparison.Ordinal));
    }

    /// <summary>Signs the user out at the application and at the provider.</summary>
    internal static async Task SignOutAsync(IPage page, string url)
    {
        await page.GotoAsync(new Uri(new Uri(url), "/.kcd/sign-out").AbsoluteUri);
        await page.ClickAsync("a:text-is(\"Sign out\")");
        await page.ClickAsync("button[name=logout][value=yes]");
        await WaitForUrlAsync(page, address => IsOfGateway(address) && address.Contains("/.kcd/signed-out", StringComparison.Ordinal));
    }

    internal static bool IsOfGateway(string address) => new Uri(address).Host.EndsWith(".gateway.test", StringComparison.Ordinal);

    internal static bool IsOfProvider(string address) =>
        address.StartsWith(LabProvider.Ad.Authority, StringComparison.Ordinal)
        || address.StartsWith(LabProvider.Mit.Authority, StringComparison.Ordinal);

    /// <summary>Fetches paths of an open page's origin at the same time.</summary>
    /// <returns>For each, the status and the body.</returns>
    internal static Task<FetchedPage[]> FetchAsync(IPage page, IEnumerable<string> paths) => page.EvaluateAsync<FetchedPage[]>(
        "paths => Promise.all(paths.map(async path => { const r = await fetch(path); return { status: r.status, body: await r.text() } }))",
        paths.ToArray());

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        if (_gateway is not null)
            await _gateway.DisposeAsync();
    }

    /// <summary>Waits until the page has an expected address.</summary>
    /// <exception cref="TimeoutException">It does not get one; the message has what it shows.</exception>
    internal static async Task WaitForUrlAsync(IPage page, Func<string, bool> isExpected)
    {
        try
        {
            await page.WaitForURLAsync(isExpected, new PageWaitForURLOptions { WaitUntil = WaitUntilState.Commit });
            // Not the event of the load state: between two pages, the wait can begin after the event was sent.
            await page.WaitForFunctionAsync("() => document.readyState !== 'loading'");
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"The page is {page.Url}: {await page.InnerTextAsync("body")}", error);
        }
    }
}

/// <summary>An answer that a script of a page received.</summary>
internal sealed class FetchedPage
{
    public int Status { get; set; }

    public string Body { get; set; } = "";
}
