using System.Buffers;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Kerberos;

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
        ];
        var times = Interleaved.Measure(cases, rounds);
        var allocated = Allocated(cases[^1]);
        var first = times[cases[0].Name];
        var plot = new BarPlot("cache", "A hit in the ticket cache", "ns, median");
        plot.Add("entries", cases.Select(each => (each.Name, times[each.Name].Median, true)));
        new ResultFile(results, "cache", "A hit in the ticket cache")
            .Text($"S4UClient.GetTicketAsync for users whose tickets are held; the look-up alone, with principals that exist already. Bytes allocated by a hit: {allocated}.")
            .Table(["cache", "ns", "ratio to one user"], cases.Select(each => (IReadOnlyList<string>)[each.Name, times[each.Name].Median.Number(0), times[each.Name].RatioTo(first).Times()]))
            .Text("A hit among 100,000 shall cost twice a hit among one at most. Users in turn over all of them are what no cache line of the processor knows any more: the price of memory, not of the look-up.")
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

    private static long Allocated(Case each)
    {
        const int calls = 1000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < calls; i++)
            each.Run();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / calls;
    }
}
