using System.Text;
using System.Text.Json.Nodes;
using KcdDelegation.Gateway.Tests.SignIn;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>A gateway with a sign-in that the tests of a class share, and one that trusts the proxy in front of it.</summary>
public sealed class HostileSignInSite : IAsyncLifetime
{
    private readonly Dictionary<string, string> _sessions = new(StringComparer.Ordinal);

    internal SignInSite Site { get; private set; } = null!;

    internal SignInSite TrustingSite { get; private set; } = null!;

    /// <summary>Gets what the tests have seen at a site without header fields of their own.</summary>
    internal Dictionary<SignInSite, string> Expected { get; } = [];

    public async ValueTask InitializeAsync()
    {
        // The interleaved tabs sign in two users hundreds of times within seconds.
        Site = await SignInSite.StartAsync(
            static settings => settings["Sessions"] = new JsonObject { ["MaxSessionsPerUser"] = 10_000 });
        TrustingSite = await SignInSite.StartAsync(
            static settings => settings["Listener"]!["TrustedProxies"] = new JsonArray("127.0.0.1"));
    }

    public async ValueTask DisposeAsync()
    {
        await Site.DisposeAsync();
        await TrustingSite.DisposeAsync();
    }

    /// <summary>Sends a navigation of a browser with a field <c>Cookie</c> byte by byte.</summary>
    internal async Task<StrictAnswer> NavigateAsync(string path, string cookies, string application = "erp")
    {
        await using var stream = await Site.Gateway.ConnectAsync($"{application}.contoso.test");
        await stream.WriteAsync(
            Encoding.Latin1.GetBytes(
                $"GET {path} HTTP/1.1\r\nHost: {application}.contoso.test\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\n"
                    + $"Sec-Fetch-Dest: document\r\nCookie: {cookies}\r\n\r\n"),
            TestContext.Current.CancellationToken);
        return await StrictAnswer.ReadAsync(stream);
    }

    /// <summary>Returns the value of the cookie of a user's session at <c>erp</c>. The tests of a class share it.</summary>
    internal async Task<string> GetSessionAsync(string user)
    {
        if (_sessions.TryGetValue(user, out var known))
            return known;
        var browser = Site.CreateBrowser();
        var request = await browser.NavigateAsync(SignInSite.Erp + "/");
        await browser.NavigateAsync(Site.Provider.Authorize(request.Location!, user: user).AbsoluteUri);
        return _sessions[user] = browser.GetCookies()[CookieTossingTests.Session];
    }
}
