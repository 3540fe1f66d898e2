using System.Text.RegularExpressions;

namespace KcdDelegation.Tests.Conventions;

/// <summary>The warm path in docs/architecture.md: each file and method exists, and the path does not get longer.</summary>
public sealed partial class WarmPathTests
{
    private const string Heading = "## The warm path";

    private const int MaxFiles = 30;

    private const int MaxReturns = 10;

    [Fact]
    public void Every_listed_file_and_method_exists()
    {
        var missing = ReadSteps(Step()).Concat(ReadSteps(HttpStep()))
            .Where(step => !File.Exists(GetPath(step.File)) || !Declares(File.ReadAllText(GetPath(step.File)), step.Method));

        missing.ShouldBeEmpty();
        ReadSteps(HttpStep()).ShouldNotBeEmpty();
    }

    [Fact]
    public void The_path_enters_at_most_30_files_and_returns_at_most_10_times_to_a_file()
    {
        var steps = ReadSteps(Step());
        var entered = new HashSet<string>(StringComparer.Ordinal);
        var returns = 0;
        for (var i = 0; i < steps.Count; i++)
        {
            // A return is a step into a file that the path has left before.
            if (!entered.Add(steps[i].File) && steps[i - 1].File != steps[i].File)
                returns++;
        }

        entered.Count.ShouldBeInRange(1, MaxFiles);
        returns.ShouldBeLessThanOrEqualTo(MaxReturns);
    }

    private static List<(string File, string Method)> ReadSteps(Regex form) =>
        [.. File.ReadAllLines(GetPath("docs/architecture.md"))
            .SkipWhile(line => line != Heading).Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Select(line => form.Match(line)).Where(match => match.Success)
            .Select(match => (match.Groups["file"].Value, match.Groups["method"].Value))];

    /// <summary>A declaration has a type or modifier before the name; a call has not.</summary>
    private static bool Declares(string source, string method) =>
        Regex.IsMatch(source, $@"^\s+[\w<>\[\]?, .()]*\b(?:[\w\]?>)]+\s+){method}\b\s*(?:<\w+>)?\s*(?:\(|=>|$|\{{)", RegexOptions.Multiline,
            TimeSpan.FromSeconds(5));

    private static string GetPath(string relative) => Path.Combine(Repository.Root, relative);

    [GeneratedRegex(@"^[0-9]+\. `(?<file>src/[\w./]+\.cs): (?<method>\w+)`$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Step();

    [GeneratedRegex(@"^- `(?<file>src/[\w./]+\.cs): (?<method>\w+)`$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex HttpStep();
}
