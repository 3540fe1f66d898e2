using System.Diagnostics.Metrics;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Tests.Conventions;

namespace KcdDelegation.Tests.Diagnosis;

/// <summary>Tests that docs/metrics.md agrees with the code.</summary>
public sealed class MetricsTableTests
{
    [Fact]
    public async Task The_table_lists_each_instrument_with_its_kind_and_description()
    {
        var instruments = new HashSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                // Other tests publish the same instruments at the same time.
                lock (instruments)
                {
                    if (instrument.Meter.Name == TicketCacheMetrics.Name)
                    {
                        var kind = instrument.IsObservable ? "gauge" : "counter";
                        instruments.Add($"| `{instrument.Name}` | {kind} | {instrument.Description} |");
                    }
                }
            },
        };
        listener.Start();
        using var metrics = new TicketCacheMetrics(static () => 0, static () => 0);
        var page = await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "docs", "metrics.md"), TestContext.Current.CancellationToken);
        var written = page.Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line[..(line.LastIndexOf("| ", line.Length - 2, StringComparison.Ordinal) + 1)]);
        lock (instruments)
            written.ShouldBe(instruments, ignoreOrder: true);
    }
}
