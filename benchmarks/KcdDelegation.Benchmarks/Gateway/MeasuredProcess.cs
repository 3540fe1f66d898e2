using System.Diagnostics;
using System.Globalization;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>A process to measure, with a backend of its own. Only one of these processes has requests at a time.</summary>
internal sealed class MeasuredProcess : IDisposable
{
    private readonly string _usersFile;
    private readonly string _script;
    private readonly ChildProcess _backend;
    private readonly ChildProcess _process;
    private double _requests;

    private MeasuredProcess(GatewayColumn column, ChildProcess backend, ChildProcess process, UserFiles users)
    {
        (Column, _backend, _process) = (column, backend, process);
        (_usersFile, _script) = (column.HasToken ? users.Tokens : users.Names, users.Script);
    }

    public GatewayColumn Column { get; }

    /// <summary>Gets the identifier of the measured process.</summary>
    public int Id => _process.Id;

    /// <summary>Gets the address of the gateway.</summary>
    private Uri Url => new(_process.Ready);

    /// <summary>Starts the backend and then the process.</summary>
    public static MeasuredProcess Start(GatewayColumn column, ProcessSettings settings, KcdOptions kcd, UserFiles users)
    {
        var backend = ChildProcess.Start(ProcessorSet.Others, BackendServer.Page, "-");
        (settings.Backend, settings.Forwarding, settings.Check) = (backend.Ready, column.Forwarding, column.Check);
        var file = Path.Combine(users.Directory, $"{column.Forwarding}{column.Check}.json");
        settings.Write(file, kcd);
        var page = column.HasGateway ? GatewayServer.Page : ClientProgram.Page;
        return new MeasuredProcess(column, backend, ChildProcess.Start(ProcessorSet.Gateway, page, file), users);
    }

    public long CountConnections() => BackendServer.CountConnections(_backend);

    public long ReadWorkingSet() => ProcessUsage.Ask(_process).WorkingSet;

    /// <summary>Sends a request of a user to the path that returns the <c>Authorization</c> header of the backend's request.</summary>
    public async Task<string> ReadAuthorizationAsync(int user)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Url, BackendServer.EchoPath));
        AddUser(request, File.ReadLines(_usersFile).Skip(user).First());
        using var response = await client.SendAsync(request);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    /// <summary>Sends one request of each user, so that all of them have tickets and connections.</summary>
    public async Task ConnectAsync(int first, int count)
    {
        if (!Column.HasGateway)
        {
            _process.Ask(string.Create(CultureInfo.InvariantCulture, $"connect {first} {count}"));
            return;
        }
        using var client = new HttpMessageInvoker(new SocketsHttpHandler());
        var lines = File.ReadLines(_usersFile).Skip(first).Take(count);
        await Parallel.ForEachAsync(lines, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (line, cancellation) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Url);
            AddUser(request, line);
            using var response = await client.SendAsync(request, cancellation);
            response.EnsureSuccessStatusCode();
            await response.Content.CopyToAsync(Stream.Null, cancellation);
        });
    }

    /// <summary>Sends requests until the just-in-time compiler has finished. It takes half of the processor before.</summary>
    /// <remarks>The first calls of a method do not start the compiler, so a second without compilation is not enough.</remarks>
    public void WarmUp(int first, int count)
    {
        const int LeastRequests = 40_000;
        const int MostSeconds = 60;
        for (var second = 0; second < MostSeconds; second++)
        {
            var before = ProcessUsage.Ask(_process).CompiledMethods;
            Run(first, count, seed: second);
            if (_requests >= LeastRequests && ProcessUsage.Ask(_process).CompiledMethods - before <= 5)
                return;
        }
    }

    /// <summary>Sends requests of the users for a second.</summary>
    /// <param name="first">The number of the first user.</param>
    /// <param name="count">The number of users.</param>
    /// <param name="seed">The start of the random sequence of users, equal for all columns of a round.</param>
    public GatewayRound Run(int first, int count, int seed)
    {
        const int Attempts = 3;
        for (var attempt = 1; ; attempt++)
        {
            // On a busy machine, wrk may get no processor in its second.
            if (RunSecond(first, count, seed) is { } round)
                return round;
            if (attempt == Attempts)
                throw new InvalidOperationException($"{Column.Name}, {count} users: no request was answered within a second.");
        }
    }

    public void Dispose()
    {
        _process.Dispose();
        _backend.Dispose();
    }

    /// <summary>Sends requests for a second. Returns null if none was answered.</summary>
    private GatewayRound? RunSecond(int first, int count, int seed)
    {
        var backend = ProcessUsage.Ask(_backend);
        var before = ProcessUsage.Ask(_process);
        var line = Column.HasGateway
            ? LoadGenerator.Run(Url, _script, _usersFile, first, count, seed)
            : _process.Ask(string.Create(CultureInfo.InvariantCulture, $"run {first} {count} {seed}"));
        var after = ProcessUsage.Ask(_process);
        var numbers = line.Split(' ').Skip(1).Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        var (requests, elapsed) = (numbers[0], numbers[1]);
        if (numbers[2] > 0 || numbers[3] > 0)
            throw new InvalidOperationException(
                $"{Column.Name}, {count} users: {numbers[2]} requests failed, and {numbers[3]} were answered with an error.");
        if (requests == 0)
            return null;
        _requests += requests;
        var processor = after.Microseconds - before.Microseconds;
        return new GatewayRound(
            requests / elapsed * 1e6,
            processor / requests,
            (after.AllocatedBytes - before.AllocatedBytes) / requests,
            processor / elapsed / ProcessorSet.Gateway.Count,
            (ProcessUsage.Ask(_backend).Microseconds - backend.Microseconds) / requests);
    }

    private static void AddUser(HttpRequestMessage request, string line)
    {
        var parts = line.Split(": ", 2);
        request.Headers.TryAddWithoutValidation(parts[0], parts[1]);
    }
}
