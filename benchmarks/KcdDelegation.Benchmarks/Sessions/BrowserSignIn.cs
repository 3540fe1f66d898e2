using System.Diagnostics;
using System.Net;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>Signs in new users at a server as a browser does, and keeps their cookies. Thread-safe.</summary>
internal sealed class BrowserSignIn(Uri site, BenchmarkProvider provider) : IDisposable
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        UseCookies = false, AllowAutoRedirect = false, UseProxy = false, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
    });

    /// <summary>Signs in a user.</summary>
    /// <returns>The value of the field <c>Cookie</c> for further requests, and the milliseconds from the callback to the first answer of
    /// the application.</returns>
    public async Task<(string Cookies, double Milliseconds)> SignInAsync(string user)
    {
        var cookies = new Dictionary<string, string>(StringComparer.Ordinal);
        var (request, _) = await NavigateAsync(site, cookies, HttpStatusCode.Redirect);
        var callback = provider.Authorize(request!, user);
        var start = Stopwatch.GetTimestamp();
        var (page, _) = await NavigateAsync(callback, cookies, HttpStatusCode.Redirect);
        var (_, length) = await NavigateAsync(page!, cookies, HttpStatusCode.OK);
        var time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (length != Gateway.BackendServer.AnswerLength)
            throw new InvalidOperationException($"{site}: the answer after the sign-in has {length} bytes and is not of the backend.");
        return (Write(cookies), time);
    }

    /// <summary>Returns the <c>Authorization</c> header that the backend gets with a request of a session.</summary>
    public async Task<string> ReadAuthorizationAsync(string cookies)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(site, Gateway.BackendServer.EchoPath));
        request.Headers.TryAddWithoutValidation("Cookie", cookies);
        using var response = await _client.SendAsync(request, CancellationToken.None);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    public void Dispose() => _client.Dispose();

    private async Task<(Uri? Location, int Length)> NavigateAsync(Uri url, Dictionary<string, string> cookies, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Mode", "navigate");
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Dest", "document");
        request.Headers.TryAddWithoutValidation("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        if (cookies.Count > 0)
            request.Headers.TryAddWithoutValidation("Cookie", Write(cookies));
        using var response = await _client.SendAsync(request, CancellationToken.None);
        var body = await response.Content.ReadAsByteArrayAsync();
        if (response.StatusCode != expected)
            throw new InvalidOperationException(
                $"{url.GetLeftPart(UriPartial.Path)} answered {(int)response.StatusCode} and not {(int)expected}: "
                    + System.Text.Encoding.UTF8.GetString(body));
        foreach (var cookie in response.Headers.TryGetValues("Set-Cookie", out var fields) ? fields : [])
            Keep(cookies, cookie);
        return (response.Headers.Location is { } location ? new Uri(url, location) : null, body.Length);
    }

    private static string Write(Dictionary<string, string> cookies) =>
        string.Join("; ", cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}"));

    /// <summary>Keeps a cookie, or removes one whose end is in the past.</summary>
    private static void Keep(Dictionary<string, string> cookies, string field)
    {
        var pair = field.Split(';')[0];
        var end = pair.IndexOf('=', StringComparison.Ordinal);
        var (name, value) = (pair[..end], pair[(end + 1)..]);
        if (value.Length == 0 || field.Contains("01 Jan 1970", StringComparison.OrdinalIgnoreCase)
            || field.Contains("01-Jan-1970", StringComparison.OrdinalIgnoreCase))
            cookies.Remove(name);
        else
            cookies[name] = value;
    }
}
