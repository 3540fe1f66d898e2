using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Tests.SignIn;

/// <summary>A gateway whose users sign in at a <see cref="SignInProvider"/>.</summary>
internal sealed class SignInSite : IAsyncDisposable
{
    public const string Erp = "https://erp.contoso.test";
    public const string Wiki = "https://wiki.contoso.test";

    /// <summary>Gets origins of pages that are not those of <see cref="Erp"/>.</summary>
    public static TheoryData<string> OtherOrigins =>
    [
        "https://evil.example", "https://sibling.contoso.test", Wiki, "http://erp.contoso.test", "https://erp.contoso.test:8443", "null",
    ];

    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("kcd-state-");

    private SignInSite(TestGateway gateway, SignInProvider provider) => (Gateway, Provider) = (gateway, provider);

    public TestGateway Gateway { get; }

    public SignInProvider Provider { get; }

    public string SecretPath => Path.Combine(_state.FullName, "secret");

    public string State => Path.Combine(_state.FullName, "state");

    public string[] SessionFiles => Directory.GetFiles(Path.Combine(State, "sessions"));

    /// <summary>Starts the gateway.</summary>
    /// <param name="change">Changes the settings.</param>
    /// <param name="wiki">The answers of the application without delegation; null: a text.</param>
    public static async Task<SignInSite> StartAsync(Action<JsonObject>? change = null, RequestDelegate? wiki = null)
    {
        var site = new SignInSite(await TestGateway.CreateAsync(wiki: wiki), await SignInProvider.StartAsync());
        await File.WriteAllTextAsync(site.SecretPath, SignInProvider.Secret + "\n");
        site.Gateway.Settings[nameof(State)] = site.State;
        site.Gateway.Settings["IdentityProviders"] = new JsonObject { ["test"] = CreateProvider(site.Provider, site.SecretPath) };
        change?.Invoke(site.Gateway.Settings);
        await site.Gateway.StartAsync();
        return site;
    }

    public static JsonObject CreateProvider(SignInProvider provider, string secretPath) => new()
    {
        ["Token"] = new JsonObject
        {
            ["Authority"] = provider.Issuer, ["ClientId"] = SignInProvider.ClientId, ["Audience"] = "api://gateway",
        },
        ["SignIn"] = new JsonObject { ["ClientSecretFile"] = secretPath, ["Scopes"] = new JsonArray("profile", "offline_access") },
    };

    public TestBrowser CreateBrowser() => new(Gateway.CreateClient(), Provider);

    public async ValueTask DisposeAsync()
    {
        // A failed test shows them.
        foreach (var record in Gateway.Log.Records.Where(static record => record.Id is >= 6000 and < 6200))
            TestContext.Current.TestOutputHelper?.WriteLine(record.Text);
        await Gateway.DisposeAsync();
        await Provider.DisposeAsync();
        _state.Delete(recursive: true);
    }
}

/// <summary>A browser with cookies for each host, as <c>__Host-</c> cookies are kept, that shows pages and runs scripts.</summary>
internal sealed class TestBrowser(HttpClient client, SignInProvider provider)
{
    private readonly Dictionary<string, Dictionary<string, string>> _cookies = new(StringComparer.Ordinal);

    /// <summary>Gets the cookies of a host.</summary>
    public Dictionary<string, string> GetCookies(string site = SignInSite.Erp)
    {
        var host = new Uri(site).Host;
        if (!_cookies.TryGetValue(host, out var cookies))
            _cookies[host] = cookies = new Dictionary<string, string>(StringComparer.Ordinal);
        return cookies;
    }

    /// <summary>Opens an address and follows redirects through the provider until a page is shown.</summary>
    public async Task<Answer> OpenAsync(string url, HttpMethod? method = null)
    {
        var answer = await NavigateAsync(url, method);
        for (var i = 0; i < 10 && answer.Location is { } location; i++)
        {
            if (location.GetLeftPart(UriPartial.Authority) == provider.Issuer && location.AbsolutePath == "/authorize")
                location = provider.Authorize(location);
            else if (location.GetLeftPart(UriPartial.Authority) == provider.Issuer)
                return answer;
            answer = await NavigateAsync(location.AbsoluteUri);
        }
        return answer;
    }

    /// <summary>Opens an address as a navigation, without following a redirect.</summary>
    public Task<Answer> NavigateAsync(string url, HttpMethod? method = null) => SendAsync(url, method, request =>
    {
        request.Headers.Add("Sec-Fetch-Mode", "navigate");
        request.Headers.Add("Sec-Fetch-Dest", "document");
        request.Headers.Add("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    });

    public async Task<Answer> SendAsync(string url, HttpMethod? method = null, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, url);
        var cookies = GetCookies(url);
        lock (cookies)
        {
            if (cookies.Count > 0)
                request.Headers.Add("Cookie", string.Join("; ", cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
        }
        change?.Invoke(request);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        lock (cookies)
        {
            foreach (var cookie in response.Headers.TryGetValues("Set-Cookie", out var values) ? values : [])
                Keep(cookies, cookie);
        }
        var headers = response.Headers.ToDictionary(
            header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new Answer(response.StatusCode, response.Headers.Location, body, headers);
    }

    /// <summary>Keeps a cookie as a browser does (RFC 6265bis §4.1.3.2): one with the prefix <c>__Host-</c> must be secure, for the path
    /// <c>/</c> and without a domain.</summary>
    private static void Keep(Dictionary<string, string> cookies, string text)
    {
        var attributes = text.Split("; ");
        var end = attributes[0].IndexOf('=', StringComparison.Ordinal);
        var (name, value) = (attributes[0][..end], attributes[0][(end + 1)..]);
        if (name.StartsWith("__Host-", StringComparison.Ordinal))
        {
            attributes.ShouldContain("path=/", text);
            attributes.ShouldContain("secure", text);
            attributes.ShouldContain("httponly", text);
            attributes.ShouldContain("samesite=lax", text);
            attributes.ShouldNotContain(attribute => attribute.StartsWith("domain", StringComparison.OrdinalIgnoreCase));
        }
        if (attributes.Contains("expires=Thu, 01 Jan 1970 00:00:00 GMT"))
            cookies.Remove(name);
        else
            cookies[name] = value;
    }
}

internal sealed record Answer(HttpStatusCode Status, Uri? Location, string Body, Dictionary<string, string> Headers);
