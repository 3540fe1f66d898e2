using System.Diagnostics;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Benchmarks.Tickets;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Benchmarks.Headers;

/// <summary>Measures headers from two concurrent threads: the elapsed time of the same work for each, best of several rounds. The floor
/// shows
/// the effect of the machine's second processor.</summary>
internal static class TwoThreads
{
    private const int Headers = 100_000;
    private const int Users = 16;

    public static async Task RunAsync(string results)
    {
        await using var tickets = TicketSet.Create(EncryptionType.Aes256CtsHmacSha1, 1 << 10, 2 * Users);
        var floors = tickets.Tickets.Select(ticket => new Floor(HeaderSample.Create(ticket, TokenFormat.Spnego))).ToArray();
        // Many short rounds, because undisturbed periods of a shared machine are short. Several users, because the timestamps of one are
        // limited.
        var cases = new (string Name, int Rounds, Action<int> Work)[]
        {
            ("additions, nothing shared", 50, Add),
            ("floor, separate users", 50, thread => WithFloor(floors, thread * Users)),
            ("KcdDelegation, different users", 50, thread => WithCredentials(tickets, thread * Users)),
            ("KcdDelegation, the same user", 5, _ => WithCredential(tickets.Credentials[0])),
        };
        // The cases alternate, so that a disturbance affects all of them.
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
            [each.Name, $"{each.Rounds}", (Headers / one[i] / 1e6).Number(), (2 * Headers / two[i] / 1e6).Number(),
                (2 * one[i] / two[i]).Times()]);
        new ResultFile(results, "threads", "Two threads")
            .Text($"Type 18, tickets of 1 KB, SPNEGO into bytes; {Headers:N0} headers for each thread, the best round of each, "
                + $"alternating between one and two threads. Different users: {Users} for each thread, in turn.")
            .Table(["case", "rounds", "one thread, million headers a second", "two threads", "ratio"], rows)
            .Text("Goal: a ratio of at least 1.8 with different users. If the additions reach less, the two processors of the machine "
                + "are two threads of one core, which limits every computation. The headers of one user share a sequence of 967,232 "
                + "timestamps per second, which can run two seconds ahead. It limits their rate.")
            .Write();
        foreach (var floor in floors)
            floor.Dispose();
    }

    /// <summary>Adds numbers for about the time of a header. The result shows whether the two processors are two threads of one
    /// core.</summary>
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

    /// <summary>Returns the seconds from the start of all threads to the end of the last one.</summary>
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
