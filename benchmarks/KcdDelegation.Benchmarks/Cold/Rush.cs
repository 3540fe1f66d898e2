using System.Diagnostics;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Cold;

/// <summary>Measures concurrent requests: 10,000 users without cached tickets, and 200 callers for the same ticket.</summary>
internal static class Rush
{
    private const int Users = 10_000;
    private const int Callers = 200;

    public static async Task RunAsync(string results)
    {
        var file = new ResultFile(results, "rush", "Many at once");
        var (pairs, exchanges) = await CountSharedAsync();
        file.Text($"{Callers} concurrent callers for one key: {pairs} pair of exchanges (the test KDC's transcript: {exchanges}).");

        var rate = MeasureKdc();
        var (seconds, latencies) = await ArriveAsync();
        var bound = Users / rate;
        file.Text($"{Users:N0} distinct concurrent users, with only the account's own ticket cached, MIT KDC of the lab over UDP: all "
            + "requests succeed, each with a ticket in the name of its user.");
        file.Table(
            ["what", "value"],
            [
                ["pairs a second that the KDC answers to libkrb5 on two threads", rate.Number(0)],
                [$"so {Users:N0} pairs take it, s", bound.Number()],
                [$"{Users:N0} users served in, s", seconds.Number()],
                ["ratio", (seconds / bound).Times()],
                ["wait of a user, s: median, last", $"{Interleaved.Quantile(latencies, 0.5).Number()}, {latencies.Max().Number()}"],
            ]);
        file.Write();
    }

    private static async Task<(int Pairs, string Transcript)> CountSharedAsync()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");
        await realm.GetTicketAsync("gw", "ada", "HTTP/app");
        await using var client = realm.CreateClient("gw");
        await client.LogOnAsync();
        realm.ClearTranscript();
        var (user, service) = (KerberosPrincipal.Principal("ada", realm.Name), ServicePrincipalName.Parse("HTTP/app"));
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () => await client.GetTicketAsync(user, service))));
        return (realm.Transcript.Count(line => line.StartsWith("PROXY", StringComparison.Ordinal)), string.Join(", ", realm.Transcript));
    }

    /// <summary>Returns the pairs per second, with enough threads to keep the KDC busy.</summary>
    private static double MeasureKdc()
    {
        const int threads = 2;
        var time = TimeSpan.FromSeconds(3);
        var configuration = Peers.KerberosEnvironment.WriteConfiguration(LabKdc.Realm, LabKdc.Address);
        var peers = Enumerable.Range(0, threads).Select(_ => new LibKrb5Pair(configuration, LabKdc.Connector, LabKdc.Keytab,
            LabKdc.Target)).ToList();
        var counts = new int[threads];
        var running = Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            var start = Stopwatch.GetTimestamp();
            for (; Stopwatch.GetElapsedTime(start) < time; counts[thread]++)
                peers[thread].Run(LabKdc.User(1 + ((counts[thread] * threads) + thread)));
        })).ToList();
        running.ForEach(thread => thread.Start());
        running.ForEach(thread => thread.Join());
        peers.ForEach(peer => peer.Dispose());
        return counts.Sum() / time.TotalSeconds;
    }

    private static async Task<(double Seconds, double[] Latencies)> ArriveAsync()
    {
        using var account = ServiceAccount.FromKeytab(LabKdc.Connector, LabKdc.Keytab);
        await using var client = new S4UClient(LabKdc.CreateOptions(account, KdcTransport.Udp));
        await client.LogOnAsync();
        var service = ServicePrincipalName.Parse(LabKdc.Target);
        var latencies = new double[Users];
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Users).Select(async number =>
        {
            var user = KerberosPrincipal.Principal(LabKdc.User(number + 1), LabKdc.Realm);
            var ticket = await client.GetTicketAsync(user, service);
            latencies[number] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (ticket.User != user)
                throw new InvalidOperationException($"{user} got the ticket of {ticket.User}.");
        }));
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, latencies);
    }
}
