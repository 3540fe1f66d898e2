using System.Diagnostics;
using KcdDelegation.Benchmarks.Gateway;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>Measures servers whose users have signed in with a browser.</summary>
internal static class SessionsRun
{
    private const int FewUsers = 64;
    private const int TicketKilobytes = 1;

    /// <summary>The sign-ins before those that are measured one at a time. They let the just-in-time compiler finish.</summary>
    private const int WarmUpSignIns = 300;

    private const int MeasuredSignIns = 100;

    /// <summary>Measures all columns and writes the page.</summary>
    public static async Task RunAsync(string results, bool isShort)
    {
        using var self = Process.GetCurrentProcess();
        self.ProcessorAffinity = ProcessorSet.Others.ToMask();
        // Each user of delegation has a connection in the gateway and in its backend.
        var sessions = isShort || OpenFiles.Limit < 13_000 ? 2000 : 10_000;
        var rounds = isShort ? 5 : 9;
        await using var site = await SessionsSite.StartAsync(ProxyColumn.All, sessions, TicketKilobytes);
        var few = await MeasureRatesAsync(site, FewUsers, rounds);
        foreach (var proxy in site.SigningIn)
            await site.SignInAsync(proxy, FewUsers, WarmUpSignIns);
        var times = await MeasureSignInsAsync(site, FewUsers + WarmUpSignIns);
        List<SignInResult> signIns = [];
        foreach (var proxy in site.SigningIn)
            signIns.Add(await MeasureManyAsync(site, proxy, times[proxy.Column.Name], sessions));
        var many = await MeasureRatesAsync(site, sessions, rounds);
        new SessionsPage
        {
            Few = GatewayResult.KeepQuietRounds(few).ToArray(),
            Many = GatewayResult.KeepQuietRounds(many).ToArray(),
            SignIns = signIns,
            Sessions = sessions,
            Rounds = rounds,
            HeaderLength = site.HeaderLength,
            TokenLength = site.Provider.TokenLength,
            ProviderTime = site.Provider.MedianTokenTime,
            MissingColumns = [.. ProxyColumn.All.Select(column => column.FindObstacle()).OfType<string>().Distinct(StringComparer.Ordinal)],
        }.Write(results);
    }

    /// <summary>Sends requests of 64 sessions through one server, so that a profiler can be attached. Writes its process identifier, and
    /// then the numbers of each second.</summary>
    public static async Task LoadAsync(string column, int seconds)
    {
        using var self = Process.GetCurrentProcess();
        self.ProcessorAffinity = ProcessorSet.Others.ToMask();
        await using var site = await SessionsSite.StartAsync(
            [.. ProxyColumn.All.Where(each => each.Name == column)], FewUsers, TicketKilobytes);
        var proxy = site.Proxies.Single();
        proxy.WarmUp(FewUsers);
        Console.WriteLine(proxy.Id);
        for (var second = 1; second <= seconds; second++)
        {
            var round = proxy.Run(FewUsers, second);
            Console.WriteLine($"{round.RequestsPerSecond.Number(0)} requests/s, {round.ProcessorTime.Number(1)} µs, "
                + $"{round.Bytes.Number(0)} bytes");
        }
    }

    private static Task<IReadOnlyList<GatewayCell>> MeasureRatesAsync(SessionsSite site, int users, int rounds)
    {
        var cells = site.Proxies
            .Select(proxy => (Proxy: proxy, Cell: new GatewayCell(proxy.Column.Name, users) { OtherUsers = 0 }))
            .ToArray();
        foreach (var (proxy, _) in cells)
        {
            Console.Error.WriteLine($"{proxy.Column.Name}, {users} sessions");
            proxy.WarmUp(users);
        }
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < cells.Length; i++)
            {
                var (proxy, cell) = cells[(i + round) % cells.Length];
                cell.Rounds.Add(proxy.Run(users, seed: round + 1));
            }
        }
        return Task.FromResult<IReadOnlyList<GatewayCell>>([.. cells.Select(each => each.Cell)]);
    }

    /// <summary>Signs in one new user at a time, at one server after the other.</summary>
    private static async Task<Dictionary<string, List<double>>> MeasureSignInsAsync(SessionsSite site, int first)
    {
        var times = site.SigningIn.ToDictionary(proxy => proxy.Column.Name, _ => new List<double>(), StringComparer.Ordinal);
        Console.Error.WriteLine("sign-ins");
        for (var i = 0; i < MeasuredSignIns; i++)
        {
            foreach (var proxy in site.SigningIn)
                times[proxy.Column.Name].AddRange(await site.SignInAsync(proxy, first + i, 1));
        }
        return times;
    }

    /// <summary>Signs in users until there are as many sessions as wanted, several at a time.</summary>
    private static async Task<SignInResult> MeasureManyAsync(SessionsSite site, Proxy proxy, List<double> times, int sessions)
    {
        const int First = FewUsers + WarmUpSignIns + MeasuredSignIns;
        Console.Error.WriteLine($"{proxy.Column.Name}, {sessions} sign-ins");
        var count = sessions - First;
        var (memory, processor, start) = (proxy.ReadMemory(), proxy.ReadProcessorTime(), Stopwatch.GetTimestamp());
        await site.SignInAsync(proxy, First, count);
        var elapsed = Stopwatch.GetElapsedTime(start);
        processor = proxy.ReadProcessorTime() - processor;
        return new SignInResult(
            proxy.Column.Name, times, processor / count / 1000, count / elapsed.TotalSeconds, First, memory, proxy.ReadMemory());
    }
}

/// <summary>The sign-ins at one server.</summary>
/// <param name="Column">The name of the column.</param>
/// <param name="Times">The milliseconds of each sign-in, from the callback to the first answer of the application.</param>
/// <param name="ProcessorTime">The milliseconds of processor time of a whole sign-in.</param>
/// <param name="PerSecond">The sign-ins per second, several at a time.</param>
/// <param name="FewSessions">The number of sessions before.</param>
/// <param name="FewMemory">The resident bytes with this number.</param>
/// <param name="ManyMemory">The resident bytes with all sessions.</param>
internal sealed record SignInResult(
    string Column, IReadOnlyList<double> Times, double ProcessorTime, double PerSecond, int FewSessions, long FewMemory, long ManyMemory);
