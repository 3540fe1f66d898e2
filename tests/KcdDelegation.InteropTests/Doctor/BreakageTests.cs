using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace KcdDelegation.InteropTests.Doctor;

/// <summary>The ways in which <c>tests/lab/break</c> breaks the lab. <c>kcd doctor</c> finds the one fault, the command that it prints
/// mends
/// it, and its proof shows it.</summary>
/// <remarks>Every second way is tried, the even or the odd ones by the number of the commit.</remarks>
public sealed partial class BreakageTests(BreakageTests.Run run) : IClassFixture<BreakageTests.Run>
{
    public static TheoryData<int, string> Ways
    {
        get
        {
            var rows = new TheoryData<int, string>();
            var seed = GetSeed();
            foreach (Match line in ListedWay().Matches(Execute(Script, "list")))
            {
                var number = int.Parse(line.Groups["number"].Value, CultureInfo.InvariantCulture);
                if (number % 2 == seed)
                    rows.Add(number, $"{line.Groups["realm"].Value}: {line.Groups["text"].Value.Trim()}");
            }
            return rows;
        }
    }

    private static string Script => Path.Combine(Lab.Scripts, "break");

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Doctor_finds_the_fault_and_its_command_mends_it(int number, string way)
    {
        Lab.Require("mit", "mit-faults", "samba", "samba22", "trust", "nginx", "web");
        var line = (await run.GetLinesAsync()).SingleOrDefault(line => line.TrimStart().StartsWith($"{number} ", StringComparison.Ordinal));
        line.ShouldNotBeNull(way).ShouldContain($"{number}  ok  ", Case.Sensitive, $"{way}: {line}");
    }

    [Fact]
    public void There_are_forty_ways() => ListedWay().Count(Execute(Script, "list")).ShouldBeGreaterThanOrEqualTo(40);

    private static int GetSeed()
    {
        var count = Execute("git", "-C", Lab.Scripts, "rev-list", "--count", "HEAD").Trim();
        return int.TryParse(count, CultureInfo.InvariantCulture, out var number) ? number % 2 : 0;
    }

    private static string Execute(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment["LAB_DIR"] = Lab.Directory;
        using var process = Process.Start(start).ShouldNotBeNull();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    [GeneratedRegex(@"^ *(?<number>\d+)  (?<realm>\S+) +(?<text>.+)$", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ListedWay();

    /// <summary>One run of the script for all rows, since the company of a realm takes longer to create than to break.</summary>
    public sealed class Run
    {
        private readonly Lazy<Task<string[]>> _lines = new(() => Task.Run(static () =>
        {
            var tool = Path.GetFullPath(Path.Combine(
                Lab.Scripts, "../../src/KcdDelegation.Tool",
                    AppContext.BaseDirectory[AppContext.BaseDirectory.IndexOf("bin/", StringComparison.Ordinal)..],
                "kcd.dll"));
            return Execute(Script, "run", tool, "half", GetSeed().ToString(CultureInfo.InvariantCulture)).Split('\n');
        }));

        public Task<string[]> GetLinesAsync() => _lines.Value;
    }
}
