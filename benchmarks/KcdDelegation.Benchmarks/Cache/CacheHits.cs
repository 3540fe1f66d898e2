using System.Collections.Concurrent;
using KcdDelegation.Benchmarks.Report;

namespace KcdDelegation.Benchmarks.Cache;

/// <summary>A ticket that is there already, among few and among many. Asked for as a request asks: by a principal that was made just now.</summary>
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
            .Text($"S4UClient.GetTicketAsync for users whose tickets are held; the look-up alone, with principals that exist already. Bytes allocated by a hit: {allocated}.")
            .Table(["cache", "ns", "ratio to one user"], cases.Select(each => (IReadOnlyList<string>)[each.Name, times[each.Name].Median.Number(0), times[each.Name].RatioTo(first).Times()]))
            .Text("A hit among 100,000 shall cost twice a hit among one at most. Users in turn over all of them are what no cache line of the processor knows any more: the price of memory, which the plain dictionary pays too.")
            .Plot(plot)
            .Write();
    }

    private static Action Hit(CacheFixture fixture, int users)
    {
        // In an order that no prefetcher guesses; principals that are equal to the cache's, not the same.
        var principals = Enumerable.Range(0, users).Select(i => CacheFixture.User((int)(i * 7919L % users))).ToArray();
        var next = 0;
        return () =>
        {
            next = next + 1 == users ? 0 : next + 1;
            var hit = fixture.Client.GetTicketAsync(principals[next], CacheFixture.Service);
            if (!hit.IsCompletedSuccessfully || hit.Result is null)
                throw new InvalidOperationException("Not a hit.");
        };
    }

    /// <summary>What looking up costs where nothing of it is in the processor's caches: the bytes of as many tickets by text, with keys that are equal, not the same.</summary>
    private static Action Dictionary(int entries, int used)
    {
        var dictionary = new ConcurrentDictionary<string, byte[]>(Enumerable.Range(0, entries).Select(i => KeyValuePair.Create($"user{i:000000}", new byte[2048])), StringComparer.Ordinal);
        var keys = Enumerable.Range(0, used).Select(i => $"user{(int)(i * 7919L % used):000000}").ToArray();
        var next = 0;
        return () =>
        {
            next = next + 1 == used ? 0 : next + 1;
            // A byte of it is read, as a caller would.
            if (!dictionary.TryGetValue(keys[next], out var value) || value[0] != 0)
                throw new InvalidOperationException("Not a hit.");
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
