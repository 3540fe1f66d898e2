using System.Globalization;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Benchmarks.Tickets;
using KcdDelegation.Http;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Benchmarks.Connections;

/// <summary>Measures requests of 1 to 10,000 users over connections of their own, the memory of an idle user, and a lease.</summary>
internal static class UsersPage
{
    private const int MostUsers = 10_000;
    private const int FilesForMostUsers = 13_000;

    private static bool HasFilesForMostUsers => OpenFiles.Limit >= FilesForMostUsers;

    public static async Task RunAsync(string results, bool isShort)
    {
        var (rounds, time, tlsUsers) = isShort ? (3, TimeSpan.FromSeconds(1), 500) : (11, TimeSpan.FromSeconds(2), 2000);
        await using var tickets = TicketSet.Create(EncryptionType.Aes256CtsHmacSha1, 1024, MostUsers);
        var callers = FixedDelegation.CreateCallers(MostUsers);
        using var backend = BackendProcess.Start();

        var tls = await MeasureMemoryAsync(tlsUsers, backend.TlsUrl);
        var plain = await MeasureMemoryAsync(tlsUsers, backend.Url);

        // Not at the same time as the last rows: the connections of all rows together need more than 20,000 open files.
        var cases = await MeasureAsync(
            [
                Create(1, backend.Url), Create(64, backend.Url), Create(2000, backend.Url),
                Create(64, backend.Url, isControl: true), Create(2000, backend.Url, isControl: true),
            ],
            rounds, time);
        var most = HasFilesForMostUsers
            ? await MeasureAsync([Create(64, backend.Url), Create(MostUsers, backend.Url)], rounds, time)
            : [];

        new ResultFile(results, "users", "Users with connections of their own")
            .Text("GET requests with an answer of 1 KB, sent by 64 senders at a time through `KcdHandler`, each for a random user, over "
                + "plain http on loopback. The tickets have 1 KB and are cached. "
                + $"{rounds} interleaved rounds of {time.TotalSeconds:0} s for each row; medians. "
                + $"The server runs in a process of its own, on {(BackendProcess.Processors is null ? "the same" : "other")} processors. "
                + "Processor time is the client's. The control sends with "
                + "one `SocketsHttpHandler` for each user and a constant header, without `KcdHandler`: the price of separate connections.")
            .Table(
                ["", "users", "requests/s", "ratio to 64 users", "CPU µs per request", "connections opened per user"],
                cases.Select(each => AsRow(each, cases)).Concat(most.Select(each => AsRow(each, most))))
            .Text(HasFilesForMostUsers
                ? $"The rows of 64 and of {MostUsers:N0} users at the end alternated with each other, after the other rows."
                : $"The row of {MostUsers:N0} users is left out, because only {OpenFiles.Limit:N0} files can be open in a process "
                    + $"(`ulimit -n`), and it needs {FilesForMostUsers:N0}.")
            .Text($"Resident memory of the client for each idle user with one open connection, of {tlsUsers:N0} users, ticket and template "
                + "not included:")
            .Table(["connection", "KB per user"], [["http", (plain / 1000).Number(1)], ["https", (tls / 1000).Number(1)]])
            .Text("The lease of a connection alone, for one of 10,000 users who have connections:")
            .Table(["", "ns", "bytes"], [await MeasureLeaseAsync(isShort ? 400 : 4000)])
            .Write();

        UserCase Create(int users, Uri url, bool isControl = false) =>
            new(users, url, backend, tickets.Credentials, callers, isControl);

        async Task<double> MeasureMemoryAsync(int users, Uri url)
        {
            // The first users load code and the templates of the tickets.
            using (var warm = Create(users, url))
                await warm.ConnectAsync();
            var before = Resident();
            using var measured = Create(users, url);
            await measured.ConnectAsync();
            return (double)(Resident() - before) / users;
        }
    }

    /// <summary>Measures cases in interleaved rounds, and closes their connections.</summary>
    private static async Task<UserCase[]> MeasureAsync(UserCase[] cases, int rounds, TimeSpan time)
    {
        foreach (var each in cases)
            await each.ConnectAsync();
        // The just-in-time compiler finishes first.
        foreach (var each in cases)
            await each.RunAsync(time);
        foreach (var each in cases)
        {
            each.RequestsPerSecond.Clear();
            each.ProcessorTime.Clear();
        }
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < cases.Length; i++)
                await cases[(i + round) % cases.Length].RunAsync(time);
        }
        foreach (var each in cases)
            each.Dispose();
        return cases;
    }

    private static IReadOnlyList<string> AsRow(UserCase each, UserCase[] group) =>
    [
        each.IsControl ? "control" : "KcdHandler",
        each.Users.ToString("N0", CultureInfo.InvariantCulture),
        Median(each.RequestsPerSecond).Number(0),
        GetRatio(each, group.Single(other => other.Users == 64 && other.IsControl == each.IsControl)).Number(),
        Median(each.ProcessorTime).Number(1),
        ((double)each.Connections / each.Users).Number(),
    ];

    private static async Task<IReadOnlyList<string>> MeasureLeaseAsync(int rounds)
    {
        using var pool = new UserConnectionPool(
            new ConnectionServices(new SocketsHttpHandlers(create: null), "app", NullLogger.Instance), TimeProvider.System);
        var keys = Enumerable.Range(0, MostUsers).Select(user => new ConnectionKey(
            KerberosPrincipal.Principal($"user{user}", TicketSet.Realm), ServicePrincipalName.Parse(TicketSet.Service),
            new Uri("https://app.bench.test/path"), ChannelBinding: true, RequiresChannelBinding: false)).ToArray();
        foreach (var key in keys)
            (await pool.LeaseAsync(key, key.User!, ConnectionLimits.Default, CancellationToken.None)).End();
        var next = 0;
        var each = new Case("lease", () =>
        {
            var key = keys[next++ % keys.Length];
            var lease = pool.LeaseAsync(key, key.User!, ConnectionLimits.Default, CancellationToken.None);
            if (!lease.IsCompletedSuccessfully)
                throw new InvalidOperationException("The lease waited.");
            lease.Result.End();
        });
        var time = Interleaved.Measure([each], rounds)["lease"].Median;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var call = 0; call < 1000; call++)
            each.Run();
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 1000;
        return ["begin and end", time.Number(0), bytes.ToString(CultureInfo.InvariantCulture)];
    }

    private static double GetRatio(UserCase one, UserCase other) => Interleaved.Quantile(
        [.. one.RequestsPerSecond.Zip(other.RequestsPerSecond, (own, others) => own / others)], 0.5);

    private static double Median(List<double> values) => Interleaved.Quantile([.. values], 0.5);

    private static long Resident()
    {
        for (var round = 0; round < 3; round++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
        return Machine.ResidentBytes();
    }
}
