using System.Globalization;
using KcdDelegation.Benchmarks.Gateway;
using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>A server to measure, with a backend of its own. Only one of them has requests at a time.</summary>
internal sealed class Proxy : IDisposable
{
    private readonly ChildProcess _backend;
    private readonly IDisposable _server;
    private readonly ProcessTree _processes;
    private readonly Func<string, string>? _ask;
    private double _requests;

    private Proxy(
        ProxyColumn column, Uri url, string folder, ChildProcess backend, IDisposable server, int id, Func<string, string>? ask)
    {
        (Column, Url, CookieFile) = (column, url, Path.Combine(folder, "cookies"));
        (_backend, _server, _processes, _ask) = (backend, server, new ProcessTree(id), ask);
        Id = id;
    }

    public ProxyColumn Column { get; }

    public Uri Url { get; }

    public int Id { get; }

    /// <summary>Gets the path of the file with the field <c>Cookie</c> of each user.</summary>
    public string CookieFile { get; }

    /// <summary>Starts the backend and then the server.</summary>
    public static async Task<Proxy> StartAsync(ProxyColumn column, string root, BenchmarkProvider provider, TestRealm realm, int sessions)
    {
        var folder = Directory.CreateDirectory(Path.Combine(root, string.Concat(column.Name.Where(char.IsAsciiLetter)))).FullName;
        var backend = ChildProcess.Start(ProcessorSet.Others, BackendServer.Page, "-");
        if (column.Name == ProxyColumn.Yarp)
        {
            var file = Path.Combine(folder, "settings");
            new ProcessSettings { Forwarding = Forwarding.Plain, Check = CallerCheck.Header, Backend = backend.Ready }
                .Write(file, realm.CreateOptions(GatewayRun.Account));
            var yarp = ChildProcess.Start(ProcessorSet.Gateway, GatewayServer.Page, file);
            return new Proxy(column, new Uri(yarp.Ready), folder, backend, yarp, yarp.Id, yarp.Ask);
        }
        var url = new UriBuilder(Uri.UriSchemeHttp, "127.0.0.1", ServerProcess.FindPort()).Uri;
        if (column.Name is ProxyColumn.Gateway or ProxyColumn.Delegated)
        {
            var settings = GatewaySettings.Create(
                folder, url, backend.Ready, provider, realm, isDelegated: column.Name == ProxyColumn.Delegated);
            return await StartGatewayAsync(column, url, folder, backend, settings);
        }
        var (program, text) = column.Name == ProxyColumn.Nginx
            ? (NginxSettings.Program, NginxSettings.Create(folder, url, backend.Ready))
            : (ApacheSettings.Program, ApacheSettings.Create(folder, url, backend.Ready,
                column.SignsIn ? ApacheSettings.CreateOpenId(url, provider, ApacheSettings.GetCacheEntries(sessions)) : null));
        var path = Path.Combine(folder, "settings.conf");
        await File.WriteAllTextAsync(path, text + "\n");
        string[] command = column.Name == ProxyColumn.Nginx ? [program, "-c", path] : [program, "-f", path, "-DFOREGROUND"];
        var server = ServerProcess.Start([], command);
        await server.WaitAsync(url.Port);
        return new Proxy(column, url, folder, backend, server, server.Id, ask: null);
    }

    /// <summary>Returns the microseconds of processor time since the start.</summary>
    public double ReadProcessorTime() => _processes.ReadProcessorTime();

    /// <summary>Returns the resident bytes, after a collection of garbage where there is one.</summary>
    public long ReadMemory()
    {
        _ask?.Invoke(RuntimeChannel.Collect);
        return _processes.ReadMemory();
    }

    /// <summary>Sends requests until the just-in-time compiler has finished, or for two seconds without one.</summary>
    public void WarmUp(int count)
    {
        const int LeastRequests = 40_000;
        const int MostSeconds = 60;
        for (var second = 0; second < MostSeconds; second++)
        {
            var before = ReadUsage()?.CompiledMethods ?? 0;
            Run(count, seed: second);
            if (ReadUsage() is { } usage ? _requests >= LeastRequests && usage.CompiledMethods - before <= 5 : second > 0)
                return;
        }
    }

    /// <summary>Sends requests of the first users for a second.</summary>
    public GatewayRound Run(int count, int seed)
    {
        const int Attempts = 3;
        for (var attempt = 1; ; attempt++)
        {
            // On a busy machine, a cold server may not answer within the first second.
            if (RunSecond(count, seed) is { } round)
                return round;
            if (attempt == Attempts)
                throw new InvalidOperationException($"{Column.Name}, {count} users: no request was answered within a second.");
        }
    }

    public void Dispose()
    {
        _server.Dispose();
        _backend.Dispose();
    }

    /// <summary>Sends requests for a second. Returns null if none was answered.</summary>
    private GatewayRound? RunSecond(int count, int seed)
    {
        var (backend, received) = (ProcessUsage.Ask(_backend), BackendServer.CountRequests(_backend));
        var (usage, before) = (ReadUsage(), ReadProcessorTime());
        var line = LoadGenerator.Run(
            Url, Path.Combine(Path.GetDirectoryName(CookieFile)!, "..", "users.lua"), CookieFile, first: 0, count, seed);
        var (after, processor) = (ReadUsage(), ReadProcessorTime() - before);
        var numbers = line.Split(' ').Skip(1).Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        var (requests, elapsed) = (numbers[0], numbers[1]);
        received = BackendServer.CountRequests(_backend) - received;
        // wrk does not count a redirection as an error. It would be the answer to a session that is lost.
        if (numbers[2] > 0 || numbers[3] > 0 || received < requests)
            throw new InvalidOperationException(
                $"{Column.Name}, {count} users: {requests} requests, of which {numbers[2]} failed and {numbers[3]} were answered with an "
                    + $"error. {received} reached the backend.");
        if (requests == 0)
            return null;
        _requests += requests;
        return new GatewayRound(
            requests / elapsed * 1e6,
            processor / requests,
            after is null || usage is null ? double.NaN : (after.AllocatedBytes - usage.AllocatedBytes) / requests,
            processor / elapsed / ProcessorSet.Gateway.Count,
            (ProcessUsage.Ask(_backend).Microseconds - backend.Microseconds) / requests);
    }

    /// <summary>Starts the program as it is installed, with a hook that answers questions about its runtime.</summary>
    private static async Task<Proxy> StartGatewayAsync(ProxyColumn column, Uri url, string folder, ChildProcess backend, string settings)
    {
        var file = Path.Combine(folder, "gateway.json");
        await File.WriteAllTextAsync(file, settings);
        var channel = new RuntimeChannel(Path.Combine(folder, "runtime"));
        // The compiler optimizes a method as soon as it has been called often, and does not wait for a pause.
        var server = ServerProcess.Start(
            [.. channel.Environment, ("DOTNET_TC_CallCountingDelayMs", "0")],
            Path.Combine(AppContext.BaseDirectory, "kcd-gateway"), "--config", file);
        await server.WaitAsync(url.Port);
        await channel.AcceptAsync(CancellationToken.None);
        return new Proxy(column, url, folder, backend, new GatewayProgram(server, channel), server.Id, channel.Ask);
    }

    private ProcessUsage? ReadUsage() => _ask is null ? null : ProcessUsage.Parse(_ask(ProcessUsage.Command));

    private sealed class GatewayProgram(ServerProcess server, RuntimeChannel channel) : IDisposable
    {
        public void Dispose()
        {
            server.Dispose();
            channel.Dispose();
        }
    }
}
