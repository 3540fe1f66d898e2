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
        var floors = tickets.Tickets.Select(ticket => new Floor(HeaderSample.Create(ticket, TokenFormat.Spnego))).ToArray();
        // Many short rounds, since on a shared machine the quiet moments are short. Not of one user: his stamps would run out.
        var cases = new (string Name, int Rounds, Action<int> Work)[]
        {
            ("additions that fill a processor, nothing shared", 50, Add),
            ("floor, users of its own", 50, thread => WithFloor(floors, thread * Users)),
            ("KcdDelegation, different users", 50, thread => WithCredentials(tickets, thread * Users)),
            ("KcdDelegation, one and the same user", 5, _ => WithCredential(tickets.Credentials[0])),
        };
        // All cases in turns, so that a disturbance meets all of them.
        var (one, two) = (new double[cases.Length], new double[cases.Length]);
        Array.Fill(one, double.MaxValue);
        Array.Fill(two, double.MaxValue);
        for (var round = 0; round < cases.Max(each => each.Rounds); round++)
        {
            for (var i = 0; i < cases.Length; i++)
            {
                if (round >= cases[i].Rounds)
                    continue;
                one[i] = Math.Min(one[i], Time(1, cases[i].Work));
                two[i] = Math.Min(two[i], Time(2, cases[i].Work));
            }
        }
        var rows = cases.Select((each, i) => (IReadOnlyList<string>)
            [each.Name, $"{each.Rounds}", (Headers / one[i] / 1e6).Number(), (2 * Headers / two[i] / 1e6).Number(), (2 * one[i] / two[i]).Times()]);
        new ResultFile(results, "threads", "Two threads")
            .Text($"Type 18, tickets of 1 KB, SPNEGO into bytes; {Headers:N0} headers for each thread, the best round of each, one and two threads in turns. Different users: {Users} for each thread, in turn.")
            .Table(["case", "rounds", "one thread, million headers a second", "two threads", "ratio"], rows)
            .Text("With different users the ratio shall be 1.8 at least. Where the additions reach less, the machine's two processors were two threads of one core, and what fills a processor cannot reach more. One user's headers share the counter of his stamps, of which there are 967,232 a second: that alone bounds them, after the two seconds that they may run ahead.")
            .Write();
        foreach (var floor in floors)
            floor.Dispose();
    }

    /// <summary>Where the two processors are two threads of one core, this is what shows it: about as much work as a header.</summary>
    private static void Add(int thread)
    {
        var (a, b, c, d) = (thread, thread + 1, thread + 2, thread + 3);
        for (var i = 0; i < Headers * 300; i++)
        {
            (a, b, c, d) = (a + i, b + i, c + i, d + i);
            (a, b, c, d) = (a ^ i, b ^ i, c ^ i, d ^ i);
        }
        if ((a ^ b ^ c ^ d) == int.MinValue)
            Console.Error.WriteLine();
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
