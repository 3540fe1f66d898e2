using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Tests.Conventions;

namespace KcdDelegation.Tests.Diagnosis;

/// <summary>Tests that docs/metrics.md agrees with the code.</summary>
public sealed partial class MetricsTableTests
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
                    if (instrument.Meter.Name is KcdTelemetry.Name or KcdTelemetry.KerberosName)
                        instruments.Add($"| `{instrument.Name}` | {GetKind(instrument)} | {instrument.Description} |");
                }
            },
        };
        listener.Start();
        using var metrics = new TicketCacheMetrics(static () => 0, static () => 0);
        foreach (var type in Repository.Library.GetTypes().Where(HasMeter))
            RuntimeHelpers.RunClassConstructor(type.TypeHandle);
        var written = (await ReadAsync()).Where(line => line.StartsWith("| `kcd.", StringComparison.Ordinal))
            .Where(line => line.Split('|')[2].Trim() is "counter" or "gauge" or "histogram" or "up-down counter")
            .Select(line => line[..(line.LastIndexOf("| ", line.Length - 2, StringComparison.Ordinal) + 1)]);
        lock (instruments)
            written.ShouldBe(instruments, ignoreOrder: true);
    }

    [Fact]
    public async Task The_page_names_only_settings_that_exist()
    {
        var settings = new HashSet<string>(StringComparer.Ordinal);
        Collect(typeof(KcdOptions), settings);
        var prose = string.Join('\n', await ReadAsync()).Split("```").Where((_, index) => index % 2 == 0);
        var types = Repository.Library.GetTypes().Select(type => type.Name).Append("OpenTelemetry").Append("KcdDelegation");

        Names().Matches(string.Concat(prose)).Select(match => match.Value).Except(settings, StringComparer.Ordinal)
            .Except(types, StringComparer.Ordinal).ShouldBeEmpty();
    }

    private static Task<string[]> ReadAsync() =>
        File.ReadAllLinesAsync(Path.Combine(Repository.Root, "docs", "metrics.md"), TestContext.Current.CancellationToken);

    private static bool HasMeter(Type type) =>
        type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public).Any(field => field.FieldType == typeof(Meter));

    private static string GetKind(Instrument instrument) => instrument.IsObservable ? "gauge"
        : instrument.GetType().Name.Split('`')[0] switch
        {
            "Histogram" => "histogram",
            "UpDownCounter" => "up-down counter",
            _ => "counter",
        };

    /// <summary>Adds the names of the properties of the options, at every level.</summary>
    private static void Collect(Type options, HashSet<string> names)
    {
        foreach (var property in options.GetProperties())
        {
            names.Add(property.Name);
            foreach (var type in property.PropertyType.GetGenericArguments().Append(property.PropertyType))
            {
                if (type.Assembly == Repository.Library && type.IsClass)
                    Collect(type, names);
            }
        }
    }

    /// <summary>A word with an inner capital, as settings have.</summary>
    [GeneratedRegex(@"\b[A-Z][a-z]+[A-Z]\w+\b", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Names();
}
