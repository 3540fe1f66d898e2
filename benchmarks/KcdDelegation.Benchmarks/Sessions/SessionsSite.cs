using KcdDelegation.Benchmarks.Gateway;
using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>The servers to measure, with their provider, their KDC and their backends.</summary>
internal sealed class SessionsSite : IAsyncDisposable
{
    private const int Concurrency = 16;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kcd-bench-");
    private readonly List<Proxy> _proxies = [];
    private readonly Dictionary<Proxy, BrowserSignIn> _browsers = [];

    private SessionsSite(BenchmarkProvider provider, TestRealm realm) => (Provider, Realm) = (provider, realm);

    public BenchmarkProvider Provider { get; }

    public TestRealm Realm { get; }

    public IReadOnlyList<Proxy> Proxies => _proxies;

    public IEnumerable<Proxy> SigningIn => _proxies.Where(static proxy => proxy.Column.SignsIn);

    /// <summary>Gets the length of the <c>Authorization</c> value of delegation.</summary>
    public int HeaderLength { get; private set; }

    /// <summary>Starts all servers, and signs in the first 64 users.</summary>
    public static async Task<SessionsSite> StartAsync(IReadOnlyList<ProxyColumn> columns, int sessions, int ticketKilobytes)
    {
        var site = new SessionsSite(await BenchmarkProvider.StartAsync(), GatewayRun.CreateRealm(sessions, ticketKilobytes));
        try
        {
            UserFiles.WriteScript(Path.Combine(site._folder.FullName, "users.lua"));
            await site.Realm.WriteKeytabAsync(GatewayRun.Account, Path.Combine(site._folder.FullName, GatewaySettings.Keytab));
            foreach (var column in columns.Where(static column => column.FindObstacle() is null))
                await site.StartAsync(column, sessions, ticketKilobytes);
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>Signs in users and adds their cookies to the file of the server.</summary>
    /// <returns>The milliseconds of each sign-in.</returns>
    public async Task<IReadOnlyList<double>> SignInAsync(Proxy proxy, int first, int count)
    {
        var results = new (string Cookies, double Milliseconds)[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (at, _) =>
            results[at] = await _browsers[proxy].SignInAsync(ProcessSettings.GetUser(first + at)));
        await File.AppendAllLinesAsync(proxy.CookieFile, results.Select(static result => $"Cookie: {result.Cookies}"));
        return [.. results.Select(static result => result.Milliseconds)];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var browser in _browsers.Values)
            browser.Dispose();
        foreach (var proxy in _proxies)
            proxy.Dispose();
        await Realm.DisposeAsync();
        await Provider.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task StartAsync(ProxyColumn column, int sessions, int ticketKilobytes)
    {
        const int FewUsers = 64;
        var proxy = await Proxy.StartAsync(column, _folder.FullName, Provider, Realm, sessions);
        _proxies.Add(proxy);
        if (!column.SignsIn)
        {
            // Requests of the same length as those of the gateway.
            await File.WriteAllLinesAsync(proxy.CookieFile,
                Enumerable.Range(0, sessions).Select(static user => $"Cookie: __Host-kcd-session={user:D43}"));
            return;
        }
        var browser = _browsers[proxy] = new BrowserSignIn(proxy.Url, Provider);
        await SignInAsync(proxy, 0, FewUsers);
        var cookies = (await File.ReadAllLinesAsync(proxy.CookieFile))[0]["Cookie: ".Length..];
        var authorization = await browser.ReadAuthorizationAsync(cookies);
        if (column.Name != ProxyColumn.Delegated)
            return;
        GatewayRun.CheckTicket(Realm, authorization, ticketKilobytes);
        HeaderLength = authorization.Length;
    }
}
