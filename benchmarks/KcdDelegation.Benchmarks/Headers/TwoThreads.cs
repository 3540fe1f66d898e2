using System.Diagnostics;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Benchmarks.Tickets;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Benchmarks.Headers;

/// <summary>Headers from two threads at once: wall clock of the same work for each, best of several. The floor beside it shows what the
/// machine's second processor is worth.</summary>
internal static class TwoThreads
{
    private const int Headers = 100_000;
    private const int Users = 16;

    public static async Task RunAsync(string results)
    {
        await using var tickets = TicketSet.Create(EncryptionType.Aes256CtsHmacSha1, 1 << 10, 2 * Users);
        var floors = tickets.Tickets.Select(ticket => new Floor(HeaderSample.Of(ticket, TokenFormat.Spnego))).ToArray();
        // Many short rounds, since on a shared machine the quiet moments are short. Not of one user: his stamps would run out.
        var cases = new (string Name, int Rounds, Action<int> Work)[]
        {
            ("floor, users of its own", 50, thread => WithFloor(floors, thread * Users)),
            ("KcdDelegation, different users", 50, thread => WithCredentials(tickets, thread * Users)),
            ("KcdDelegation, one and the same user", 5, _ => WithCredential(tickets.Credentials[0])),
        };
        var rows = new List<IReadOnlyList<string>>();
        foreach (var (name, rounds, work) in cases)
        {
            // In turns, so that a disturbance meets both.
            var (one, two) = (double.MaxValue, double.MaxValue);
            for (var round = 0; round < rounds; round++)
            {
                one = Math.Min(one, Time(1, work));
                two = Math.Min(two, Time(2, work));
            }
            rows.Add([name, $"{rounds}", (Headers / one / 1e6).Number(), (2 * Headers / two / 1e6).Number(), (2 * one / two).Times()]);
        }
        new ResultFile(results, "threads", "Two threads")
            .Text($"Type 18, tickets of 1 KB, SPNEGO into bytes; {Headers:N0} headers for each thread, the best round of each, one and two threads in turns. Different users: {Users} for each thread, in turn.")
            .Table(["case", "rounds", "one thread, million headers a second", "two threads", "ratio"], rows)
            .Text("With different users the ratio shall be 1.8 at least. One user's headers share the counter of his stamps, of which there are 967,232 a second: that alone bounds them, after the two seconds that they may run ahead.")
            .Write();
        foreach (var floor in floors)
            floor.Dispose();
    }

    private static void WithFloor(Floor[] floors, int first)
    {
        var buffer = new ValueBuffer();
        for (var i = 0; i < Headers; i++)
            floors[first + (i % Users)].Write(buffer.Start());
    }

    private static void WithCredentials(TicketSet tickets, int first)
    {
        var buffer = new ValueBuffer();
        for (var i = 0; i < Headers; i++)
        {
            buffer.Start();
            tickets.Credentials[first + (i % Users)].WriteAuthorization(buffer, TokenFormat.Spnego);
        }
    }

    private static void WithCredential(DelegatedCredential credential)
    {
        var buffer = new ValueBuffer();
        for (var i = 0; i < Headers; i++)
        {
            buffer.Start();
            credential.WriteAuthorization(buffer, TokenFormat.Spnego);
        }
    }

    /// <summary>Seconds from the start of all threads to the end of the last.</summary>
    private static double Time(int threads, Action<int> work)
    {
        using var ready = new Barrier(threads + 1);
        var running = Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            ready.SignalAndWait();
            work(thread);
        })).ToList();
        running.ForEach(thread => thread.Start());
        ready.SignalAndWait();
        var start = Stopwatch.GetTimestamp();
        running.ForEach(thread => thread.Join());
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
