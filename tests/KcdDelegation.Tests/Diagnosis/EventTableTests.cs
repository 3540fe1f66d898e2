using System.Globalization;
using System.Reflection;
using KcdDelegation.Diagnosis;
using KcdDelegation.Tests.Conventions;
using KcdDelegation.Yarp.Diagnosis;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Diagnosis;

/// <summary>Tests that docs/events.md agrees with the code.</summary>
public sealed class EventTableTests
{
    private const string Refusal = "refusal";

    [Fact]
    public async Task The_table_lists_exactly_the_events_of_the_code()
    {
        var page = await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "docs", "events.md"), TestContext.Current.CancellationToken);
        var written = page.Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells.Length == 6 && int.TryParse(cells[1], CultureInfo.InvariantCulture, out _))
            .Select(cells => $"{cells[1]} {cells[2]} {cells[3]}").ToList();

        Expected().Except(written, StringComparer.Ordinal).ShouldBeEmpty("these are missing in docs/events.md");
        written.Except(Expected(), StringComparer.Ordinal).ShouldBeEmpty("these are not in the code");
        written.Count.ShouldBe(Expected().Count);
    }

    [Fact]
    public void Each_event_number_is_used_once()
    {
        var numbers = Constants().Select(constant => (constant.Number, constant.Name))
            .Concat(OtherEvents().Select(entry => (entry.Number, entry.Name))).ToList();

        numbers.GroupBy(entry => entry.Number).Where(group => group.Count() > 1).ShouldBeEmpty();
    }

    [Fact]
    public void The_library_logs_only_numbers_that_it_defines() =>
        LogEvents(Repository.Library).Select(entry => entry.Number).Except(Constants().Select(constant => constant.Number)).ShouldBeEmpty();

    private static List<string> Expected()
    {
        var levels = LogEvents(Repository.Library).ToDictionary(entry => entry.Number, entry => entry.Level);
        return
        [
            .. Constants().Select(
                constant => $"{constant.Number} {constant.Name} "
                + $"{(levels.TryGetValue(constant.Number, out var level) ? level.ToString() : Refusal)}"),
            .. OtherEvents().Select(entry => $"{entry.Number} {entry.Name} {entry.Level}"),
        ];
    }

    /// <summary>The events of the packages that define their numbers with the messages.</summary>
    private static IEnumerable<(int Number, string Name, LogLevel Level)> OtherEvents() =>
        LogEvents(Repository.Engine).Concat(LogEvents(Repository.Web)).Concat(LogEvents(Repository.Gateway))
            .Concat(LogEvents(Repository.Directory));

    private static IEnumerable<(int Number, string Name)> Constants() =>
        typeof(KcdEventId).GetFields().Concat(typeof(YarpEventId).GetFields())
            .Select(field => ((int)field.GetRawConstantValue()!, field.Name));

    private static IEnumerable<(int Number, string Name, LogLevel Level)> LogEvents(Assembly assembly) =>
        from type in assembly.GetTypes()
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
        where attribute is not null
        select (attribute.EventId, method.Name, attribute.Level);
}
