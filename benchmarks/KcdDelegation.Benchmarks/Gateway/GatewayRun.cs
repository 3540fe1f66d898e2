using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>Measures all columns with tickets of one size.</summary>
internal static class GatewayRun
{
    /// <summary>The name of the page that measures. The page <c>gateway</c> writes the tables.</summary>
    public const string Page = "gateway-run";

    /// <summary>The sizes of tickets that the page compares.</summary>
    public static readonly ImmutableArray<int> TicketKilobytes = [1, 12];

    /// <summary>The delegating account.</summary>
    public const string Account = "gw";

    /// <summary>The row that most targets are about. It is also measured without a gateway.</summary>
    public const int FewUsers = 64;

    /// <summary>The largest row, which is compared with <see cref="FewUsers"/>.</summary>
    public const int MostUsers = 10_000;

    /// <summary>The number of rounds of each start.</summary>
    private const int Rounds = 5;

    /// <summary>The number of starts of the processes for the row that most targets are about. Two processes of the same program differ by
    /// several microseconds for each request, for as long as they live: their code and their objects are at other addresses.</summary>
    private const int Starts = 5;

    /// <summary>The rows. Those of one group alternate in the same processes, because their ratio is a result.</summary>
    /// <remarks>Where rows share processes, a garbage collection during a round of one row also marks objects of the other. With 10,000
    /// users this adds several microseconds to each request of the row of 64, so 64 users also have processes of their own.</remarks>
    private static readonly int[][] s_groups = [[FewUsers], [1, 2000], [FewUsers, MostUsers]];

    /// <returns>Why nothing can be measured here; null if it can.</returns>
    public static string? FindObstacle()
    {
        if (Environment.ProcessorCount < 2)
            return "It needs two processors: one for the gateway, one for everything else.";
        if (Machine.Output("taskset", "--version").Length == 0)
            return "It needs taskset. Install it (Debian: apt-get install util-linux).";
        return Machine.Output("wrk", "-v").Length == 0 ? "It needs wrk. Install it (Debian: apt-get install wrk)." : null;
    }

    /// <summary>Measures and writes the numbers for <see cref="GatewayPage"/>.</summary>
    /// <param name="directory">The directory of the numbers.</param>
    /// <param name="ticketKilobytes">The size of the tickets.</param>
    /// <param name="isShort">Whether to measure fewer rows and rounds.</param>
    public static async Task RunAsync(string directory, int ticketKilobytes, bool isShort)
    {
        using var self = Process.GetCurrentProcess();
        self.ProcessorAffinity = ProcessorSet.Others.ToMask();
        // Connections of all rows, in the gateway and in its backend.
        var hasAllUsers = OpenFiles.Limit >= 13_000;
        var groups = (isShort ? [[FewUsers]] : s_groups)
            .Where(group => hasAllUsers || !group.Contains(MostUsers))
            .ToArray();
        var mostUsers = groups.Max(group => group.Sum());
        await using var issuer = await TestIssuer.StartAsync();
        await using var realm = CreateRealm(mostUsers, ticketKilobytes);
        using var users = UserFiles.Create(issuer, mostUsers);
        var kcd = realm.CreateOptions(Account, issuer);
        List<GatewayCell> cells = [];
        var headerLength = 0;
        foreach (var rows in groups)
        {
            var starts = rows is [FewUsers] && !isShort ? Starts : 1;
            for (var start = 0; start < starts; start++)
            {
                using var set = await ProcessSet.StartAsync(realm, issuer, kcd, users, ticketKilobytes);
                headerLength = set.HeaderLength;
                foreach (var cell in GatewayResult.KeepQuietRounds(await MeasureAsync(set.Processes, rows)))
                {
                    if (cells.Find(each => each.Column == cell.Column && each.Users == cell.Users && each.OtherUsers == cell.OtherUsers)
                        is { } known)
                        known.Add(cell);
                    else
                        cells.Add(cell);
                }
            }
        }
        var (time, bytes) = await MeasureTokenCheckAsync(issuer, kcd);
        new GatewayResult
        {
            TicketKilobytes = ticketKilobytes,
            HeaderLength = headerLength,
            Machine = Machine.Describe(),
            GatewayProcessors = ProcessorSet.Gateway.ToString(),
            OtherProcessors = ProcessorSet.Others.ToString(),
            Rounds = Rounds,
            IsShort = isShort,
            LeftOut = hasAllUsers ? null : $"The processes that serve {MostUsers:N0} users are left out, because only "
                + $"{OpenFiles.Limit:N0} files can be open in a process (`ulimit -n`), and it needs 13,000.",
            TokenCheck = time,
            TokenCheckBytes = bytes,
            Cells = cells,
        }.Write(directory);
    }

    /// <summary>Sends requests of 64 users through one gateway, so that a profiler can be attached. Writes its process identifier, and
    /// then the numbers of each second.</summary>
    /// <param name="column">The name of the column.</param>
    /// <param name="ticketKilobytes">The size of the tickets.</param>
    /// <param name="seconds">The time after the warm-up.</param>
    public static async Task LoadAsync(string column, int ticketKilobytes, int seconds)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var realm = CreateRealm(FewUsers, ticketKilobytes);
        using var users = UserFiles.Create(issuer, FewUsers);
        var settings = new ProcessSettings
        {
            Authority = issuer.Authority,
            Audience = TestIssuer.DefaultAudience,
            // About the length of the header that delegation sends.
            ControlLength = (ticketKilobytes << 10) * 4 / 3,
        };
        using var process = MeasuredProcess.Start(
            GatewayColumn.All.Single(each => each.Name == column), settings, realm.CreateOptions(Account, issuer), users);
        await process.ConnectAsync(0, FewUsers);
        process.WarmUp(0, FewUsers);
        Console.WriteLine(process.Id);
        for (var second = 1; second <= seconds; second++)
        {
            var round = process.Run(0, FewUsers, second);
            Console.WriteLine($"{round.RequestsPerSecond.Number(0)} requests/s, {round.ProcessorTime.Number(1)} µs, "
                + $"{round.Bytes.Number(0)} bytes");
        }
    }

    /// <summary>Creates the realm. The size of a ticket without its PAC is measured with a small PAC.</summary>
    public static TestRealm CreateRealm(int users, int ticketKilobytes)
    {
        const int SmallPac = 600;
        var realm = TestRealm.Start("BENCH.TEST")
            .Account(Account, mayDelegateTo: [ProcessSettings.Service])
            .Service(ProcessSettings.Service);
        for (var user = 0; user < users; user++)
            realm.User(ProcessSettings.GetUser(user));
        var rest = realm.PacSize(SmallPac).IssueTicket(ProcessSettings.GetUser(0), ProcessSettings.Service)
            .Issued.Ticket.EncryptedPart.Cipher.Length - SmallPac;
        return realm.PacSize(Math.Max(SmallPac, (ticketKilobytes << 10) - rest));
    }

    /// <summary>Requires that the backend got a valid ticket of the right user, of about the right size.</summary>
    public static void CheckTicket(TestRealm realm, string authorization, int ticketKilobytes)
    {
        var accepted = new TestAcceptor(realm, ProcessSettings.Service).Accept(authorization);
        // Base64 makes four characters of three bytes, and the token has some hundred bytes more than the ticket.
        var kilobytes = authorization.Length * 3 / 4 / 1024.0;
        if (accepted.SamAccountName != ProcessSettings.GetUser(0) || kilobytes < ticketKilobytes || kilobytes > ticketKilobytes + 1.5)
            throw new InvalidOperationException(
                $"The backend got a ticket of {accepted.SamAccountName} in a header of {authorization.Length} characters.");
    }

    /// <summary>Measures the rows, whose rounds alternate, with processes that were just started.</summary>
    private static async Task<IReadOnlyList<GatewayCell>> MeasureAsync(IReadOnlyList<MeasuredProcess> processes, int[] rows)
    {
        // The processes that request tickets take the longest. They connect first, so that no connection is idle for long.
        var cells = new List<(MeasuredProcess Process, GatewayCell Cell, int First)>();
        var firstUser = 0;
        foreach (var users in rows)
        {
            // Each row has users of its own, so that its connections are counted from zero.
            cells.AddRange(processes
                .Where(process => process.Column.HasGateway || rows is [FewUsers])
                .Select(process => (
                    process, new GatewayCell(process.Column.Name, users) { OtherUsers = rows.Sum() - users }, firstUser)));
            firstUser += users;
        }
        foreach (var (process, cell, first) in cells.OrderByDescending(each => (each.Cell.Users, each.Process.Column.Forwarding)))
        {
            Console.Error.WriteLine($"{cell.Column}, {cell.Users} users");
            var before = process.CountConnections();
            await process.ConnectAsync(first, cell.Users);
            process.WarmUp(first, cell.Users);
            cell.Connections += process.CountConnections() - before;
        }
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < cells.Count; i++)
            {
                var (process, cell, first) = cells[(i + round) % cells.Count];
                var before = process.CountConnections();
                cell.Rounds.Add(process.Run(first, cell.Users, seed: round + 1));
                cell.Connections += process.CountConnections() - before;
            }
        }
        foreach (var (process, cell, _) in cells)
            cell.WorkingSet = process.ReadWorkingSet();
        return [.. cells.Select(each => each.Cell)];
    }

    /// <summary>Measures the check of tokens that were seen before, of 64 users, without a web server.</summary>
    private static async Task<(double Nanoseconds, long Bytes)> MeasureTokenCheckAsync(TestIssuer issuer, KcdOptions options)
    {
        options.Applications[ProcessSettings.Application] = new DelegatedApplication
        {
            InternalUrl = new Uri("https://app.bench.test/"),
            ServicePrincipalName = ProcessSettings.Service,
            LoginIdentity = LoginIdentity.OnPremisesSamAccountName,
        };
        await using var client = DelegationClient.Create(options);
        var tokens = Enumerable.Range(0, 64)
            .Select(user => UserFiles.CreateToken(issuer, ProcessSettings.GetUser(user))).ToArray();
        foreach (var token in tokens)
            await client.ValidateAccessTokenAsync(token);
        var next = 0;
        var check = new Case("check", () =>
        {
            var caller = client.ValidateAccessTokenAsync(tokens[next++ % tokens.Length]);
            if (!caller.IsCompletedSuccessfully || !caller.Result.Identity!.IsAuthenticated)
                throw new InvalidOperationException("The token was not accepted at once.");
        });
        var time = Interleaved.Measure([check], rounds: 1000)["check"].Median;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var call = 0; call < 1000; call++)
            check.Run();
        return (time, (GC.GetAllocatedBytesForCurrentThread() - before) / 1000);
    }
}
