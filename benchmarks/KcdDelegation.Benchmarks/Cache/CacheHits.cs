using System.Collections.Concurrent;
using KcdDelegation.Benchmarks.Report;

namespace KcdDelegation.Benchmarks.Cache;

/// <summary>Measures cache hits in small and large caches. As in a request, the principal of each look-up is a new object.</summary>
internal static class CacheHits
{
    public static async Task RunAsync(string results, int rounds)
    {
        await using var one = await CacheFixture.CreateAsync(2);
        await using var thousand = await CacheFixture.CreateAsync(1000);
        await using var many = await CacheFixture.CreateAsync(100_000);
        Case[] cases =
        [
            new("1 user", Hit(one, 1)),
            new("1,000 entries, one user", Hit(thousand, 1)),
            new("1,000 entries, all users in turn", Hit(thousand, 500)),
            new("100,000 entries, one user", Hit(many, 1)),
            new("100,000 entries, 16 users in turn", Hit(many, 16)),
            new("100,000 entries, all users in turn", Hit(many, 50_000)),
            new("ConcurrentDictionary<string, byte[]>, 100,000 of 2 KB, 50,000 of them in turn", Dictionary(100_000, 50_000)),
        ];
        var times = Interleaved.Measure(cases, rounds);
        var allocated = Allocated(cases[^2]);
        var first = times[cases[0].Name];
        var plot = new BarPlot("cache", "A hit in the ticket cache", "ns, median");
        plot.Add("entries", cases.Select(each => (each.Name, times[each.Name].Median, true)));
        new ResultFile(results, "cache", "A hit in the ticket cache")
            .Text($"S4UClient.GetTicketAsync for users with cached tickets; the look-up alone, with existing principals. Bytes allocated "
                + $"by a hit: {allocated}.")
            .Table(["cache", "ns", "ratio to one user"], cases.Select(each => (IReadOnlyList<string>)[each.Name,
                times[each.Name].Median.Number(0), times[each.Name].RatioTo(first).Times()]))
            .Text("Goal: a hit among 100,000 entries takes at most twice as long as a hit among one. A cycle through all users exceeds "
                + "the caches of the processor. The additional time is memory latency, which the plain dictionary also has.")
            .Plot(plot)
            .Write();
    }

    private static Action Hit(CacheFixture fixture, int users)
    {
        // In an order that a prefetcher cannot predict; with principals that equal those of the cache but are other objects.
        var principals = Enumerable.Range(0, users).Select(i => CacheFixture.User((int)(i * 7919L % users))).ToArray();
        var next = 0;
        return () =>
        {
            next = next + 1 == users ? 0 : next + 1;
            var hit = fixture.Client.GetTicketAsync(principals[next], CacheFixture.Service);
            if (!hit.IsCompletedSuccessfully || hit.Result is null)
                throw new InvalidOperationException("The look-up is not a hit.");
        };
    }

    /// <summary>Creates the baseline of a look-up outside the processor's caches: a dictionary from text to the bytes of as many tickets,
    /// with equal keys that are other objects.</summary>
    private static Action Dictionary(int entries, int used)
    {
        var dictionary = new ConcurrentDictionary<string, byte[]>(Enumerable.Range(0, entries).Select(i =>
            KeyValuePair.Create($"user{i:000000}", new byte[2048])), StringComparer.Ordinal);
        var keys = Enumerable.Range(0, used).Select(i => $"user{(int)(i * 7919L % used):000000}").ToArray();
        var next = 0;
        return () =>
        {
            next = next + 1 == used ? 0 : next + 1;
            // Reads one byte, like a caller.
            if (!dictionary.TryGetValue(keys[next], out var value) || value[0] != 0)
                throw new InvalidOperationException("The look-up is not a hit.");
        };
    }

    private static long Allocated(Case each)
    {
        const int calls = 1000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < calls; i++)
            each.Run();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / calls;
    }
}
