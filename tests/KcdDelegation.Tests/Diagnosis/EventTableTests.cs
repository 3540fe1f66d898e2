using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using KcdDelegation.Diagnosis;
using KcdDelegation.Tests.Conventions;
using KcdDelegation.Yarp.Diagnosis;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Diagnosis;

/// <summary>Tests that docs/events.md agrees with the code.</summary>
public sealed class EventTableTests
{
    private const string Refusal = "refusal";

    /// <summary>Numbers of bytes are never one.</summary>
    private static readonly Regex s_numberBeforePlural = new(
        @"\{(?!\w*Bytes\})\w+s\} ([a-z]+ )?[a-z]{2,}s\b|\{Count\} [a-z]", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        TimeSpan.FromSeconds(1));

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
    public void No_message_has_a_number_before_a_plural() =>
        // "1 signing keys"
        Messages().Where(static message => s_numberBeforePlural.IsMatch(message)).ShouldBeEmpty();

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
        LogMessages(assembly).Select(static entry => (entry.Attribute.EventId, entry.Name, entry.Attribute.Level));

    private static IEnumerable<string> Messages() =>
        new[] { Repository.Library, Repository.Engine, Repository.Web, Repository.Gateway, Repository.Directory }
            .SelectMany(LogMessages).Select(static entry => entry.Attribute.Message);

    private static IEnumerable<(string Name, LoggerMessageAttribute Attribute)> LogMessages(Assembly assembly) =>
        from type in assembly.GetTypes()
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
        where attribute is not null
        select (method.Name, attribute);
}
