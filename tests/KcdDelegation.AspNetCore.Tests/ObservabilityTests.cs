using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>The queries of docs/observability against the instruments of the code and the tags of docs/metrics.md.</summary>
public sealed partial class ObservabilityTests
{
    [Fact]
    public async Task Every_query_of_the_dashboard_uses_names_that_exist()
    {
        using var dashboard = JsonDocument.Parse(await ReadAsync("observability/grafana.json"));
        var queries = dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
            .Select(target => target.GetProperty("expr").GetString()!).ToList();

        queries.Count.ShouldBeGreaterThan(10);
        await ShouldUseKnownNamesAsync(queries);
    }

    [Fact]
    public async Task Every_alert_uses_names_that_exist_and_is_described()
    {
        var (rules, page) = (await ReadAsync("observability/alerts.yml"), await ReadAsync("observability/README.md"));
        var queries = Expression().Matches(rules).Select(match => match.Groups["value"].Value).ToList();
        var alerts = Alert().Matches(rules).Select(match => match.Groups["value"].Value).ToList();

        alerts.Count.ShouldBe(queries.Count);
        alerts.ShouldAllBe(alert => page.Contains($"| `{alert}` |", StringComparison.Ordinal));
        await ShouldUseKnownNamesAsync(queries);
    }

    [Fact]
    public async Task Every_instrument_is_shown_by_the_dashboard()
    {
        var dashboard = await ReadAsync("observability/grafana.json");
        var missing = (await GetMetricsAsync()).Where(names => !names.Exists(name => dashboard.Contains(name, StringComparison.Ordinal)));

        missing.Select(names => names[0]).ShouldBeEmpty();
    }

    private static async Task ShouldUseKnownNamesAsync(IReadOnlyList<string> queries)
    {
        var metrics = (await GetMetricsAsync()).SelectMany(names => names).ToHashSet(StringComparer.Ordinal);
        var page = await ReadAsync("metrics.md");
        var labels = Tag().Matches(page).Select(match => match.Groups["value"].Value.Replace('.', '_')).ToHashSet(StringComparer.Ordinal);
        foreach (var query in queries)
        {
            var names = Name().Matches(query).Select(match => match.Value).ToList();
            names.ShouldContain(name => metrics.Contains(name), query);
            names.ShouldAllBe(name => metrics.Contains(name) || labels.Contains(name), query);
            foreach (Match value in LabelValue().Matches(query))
                page.ShouldContain($"`{value.Groups["value"].Value}`", customMessage: query);
        }
    }

    /// <summary>Returns the names of each instrument in Prometheus, after a request that creates all instruments.</summary>
    private static async Task<List<List<string>>> GetMetricsAsync()
    {
        var instruments = new ConcurrentDictionary<string, List<string>>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name is KcdTelemetry.Name or KcdTelemetry.KerberosName)
                    instruments[instrument.Name] = GetPrometheusNames(instrument);
            },
        };
        listener.Start();
        await using var site = await Site.StartAsync();
        await site.GetTextAsync("ada", "/orders");
        using var refused = await site.SendAsync("eve", "/orders");
        instruments.ShouldNotBeEmpty();
        return [.. instruments.Values];
    }

    /// <summary>Translates a name as the OpenTelemetry specification for Prometheus does.</summary>
    private static List<string> GetPrometheusNames(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_') + (instrument.Unit switch
        {
            "By" => "_bytes",
            "s" => "_seconds",
            null => "",
            ['{', ..] => "",
            var unit => throw new InvalidOperationException($"The unit {unit} of {instrument.Name} is not known here."),
        });
        var kind = instrument.GetType().GetGenericTypeDefinition();
        return kind == typeof(Counter<>) || kind == typeof(ObservableCounter<>) ? [name + "_total"]
            : kind == typeof(Histogram<>) ? [name + "_bucket", name + "_sum", name + "_count"]
            : [name];
    }

    private static Task<string> ReadAsync(string page)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KcdDelegation.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("There is no KcdDelegation.sln above the tests.");
        return File.ReadAllTextAsync(Path.Combine(folder.FullName, "docs", page), TestContext.Current.CancellationToken);
    }

    [GeneratedRegex(@"\b(?:kcd|http)_[a-z_]+\b", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name();

    [GeneratedRegex(@"kcd_outcome=""(?<value>[^""]*)""", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LabelValue();

    [GeneratedRegex(
        @"^\| `(?<value>(?:kcd|http)\.[a-z_.]+)` \|",
        RegexOptions.CultureInvariant | RegexOptions.Multiline,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tag();

    [GeneratedRegex(@"^ +expr: (?<value>.+)$", RegexOptions.CultureInvariant | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Expression();

    [GeneratedRegex(@"- alert: (?<value>\w+)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Alert();
}
