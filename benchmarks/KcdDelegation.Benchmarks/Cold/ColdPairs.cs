using System.Diagnostics;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Benchmarks.Cold;

/// <summary>Measures uncached tickets: S4U2Self and S4U2Proxy at the same KDC for the same users, alternating between this engine and
/// libkrb5.</summary>
internal static class ColdPairs
{
    /// <summary>The number of uncounted pairs, enough for the JIT compiler to finish while the KDC uses the same processors.</summary>
    private const int WarmUp = 1000;

    /// <param name="results">The folder of the results.</param>
    /// <param name="pairs">The number of pairs for each implementation and transport.</param>
    public static async Task RunAsync(string results, int pairs)
    {
        var file = new ResultFile(results, "cold", "A cold pair: S4U2Self and S4U2Proxy");
        var plot = new BarPlot("cold", "A cold pair of exchanges, KDC included", "µs, median");
        file.Text($"{pairs} pairs of each implementation over each transport, alternating, after {WarmUp} uncounted pairs; PRINCIPAL "
            + "names, cached ticket-granting ticket of the account, MIT KDC of the lab. The exchanges are counted in the log of the KDC.");
        var rows = new List<IReadOnlyList<string>>();
        foreach (var transport in (KdcTransport[])[KdcTransport.Tcp, KdcTransport.Udp])
        {
            var (ours, theirs) = await MeasureAsync(transport, pairs);
            var (our, their) = (Interleaved.Quantile(ours.Times, 0.5), Interleaved.Quantile(theirs.Times, 0.5));
            var name = transport.ToString().ToUpperInvariant();
            rows.Add([name, Line(theirs.Times), Line(ours.Times), (our / their).Times(), $"{theirs.Exchanges} / {ours.Exchanges}"]);
            plot.Add(name, [("libkrb5", their / 1000, false), ("KcdDelegation", our / 1000, true)]);
        }
        file.Table(["transport", "libkrb5, µs: median (5 % to 95 %)", "KcdDelegation", "ratio of medians",
            "exchanges of libkrb5 / ours"], rows);
        file.Text("Goal: a ratio of at most 1.15, and equal numbers of exchanges.").Plot(plot).Write();
    }

    private static string Line(double[] times) =>
        $"{Interleaved.Quantile(times, 0.5).Microseconds()} ({Interleaved.Quantile(times, 0.05).Microseconds()} to "
            + $"{Interleaved.Quantile(times, 0.95).Microseconds()})";

    private static async Task<((double[] Times, int Exchanges) Ours, (double[] Times, int Exchanges) Theirs)> MeasureAsync(
        KdcTransport transport, int pairs)
    {
        // With a limit of one byte, every message is too long for UDP.
        var configuration = Peers.KerberosEnvironment.WriteConfiguration(LabKdc.Realm, LabKdc.Address,
            transport == KdcTransport.Tcp ? " udp_preference_limit = 1" : "");
        using var peer = new LibKrb5Pair(configuration, LabKdc.Connector, LabKdc.Keytab, LabKdc.Target);
        using var account = ServiceAccount.FromKeytab(LabKdc.Connector, LabKdc.Keytab);
        await using var client = new S4UClient(LabKdc.CreateOptions(account, transport));
        await client.LogOnAsync();

        var (ours, theirs) = (new double[pairs], new double[pairs]);
        for (var i = -WarmUp; i < pairs; i++)
        {
            var user = LabKdc.User(1 + ((i + WarmUp) % 1000));
            for (var turn = 0; turn < 2; turn++)
            {
                var isOurs = (turn + i) % 2 == 0;
                var time = isOurs ? await TimeOursAsync(client, user) : TimeTheirs(peer, user);
                if (i >= 0)
                    (isOurs ? ours : theirs)[i] = time;
            }
        }
        return ((ours, await CountAsync(pairs, user => TimeOursAsync(client, user))), (theirs, await CountAsync(pairs, user =>
            Task.FromResult(TimeTheirs(peer, user)))));
    }

    private static async Task<double> TimeOursAsync(S4UClient client, string user)
    {
        var principal = KerberosPrincipal.Principal(user, LabKdc.Realm);
        var service = ServicePrincipalName.Parse(LabKdc.Target);
        var start = Stopwatch.GetTimestamp();
        var ticket = await client.GetTicketAsync(principal, service);
        var time = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        client.Purge(principal);
        return ticket.User == principal ? time : throw new InvalidOperationException($"{user} got the ticket of {ticket.User}.");
    }

    private static double TimeTheirs(LibKrb5Pair peer, string user)
    {
        var start = Stopwatch.GetTimestamp();
        peer.Run(user);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds;
    }

    /// <summary>Returns the number of exchanges of as many pairs, measured separately from the times.</summary>
    private static async Task<int> CountAsync(int pairs, Func<string, Task<double>> run)
    {
        var before = LabKdc.CountExchanges();
        for (var i = 0; i < pairs; i++)
            await run(LabKdc.User(1 + (i % 1000)));
        return LabKdc.CountExchanges() - before;
    }
}
