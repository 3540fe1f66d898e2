namespace KcdDelegation.Tests.Conventions;

/// <summary>What a style rule found at a line.</summary>
internal sealed record Violation(string File, int Line, string What)
{
    public override string ToString() => $"{File}:{Line} {What}";
}

/// <summary>The one list of exceptions from the style rules, <c>StyleExceptions.txt</c>: <c>RULE | FILE | FRAGMENT | REASON</c>. An
/// exception
/// that excuses nothing is an error, so that the list does not outlive its reasons.</summary>
internal static class StyleExceptions
{
    private static readonly Lazy<IReadOnlyList<Entry>> s_entries = new(() =>
        [.. File.ReadLines(Path.Combine(Repository.Root, "tests", "KcdDelegation.Tests", "Conventions", "StyleExceptions.txt"))
            .Where(line => line.Length > 0 && !line.StartsWith('#')).Select(Entry.Parse)]);

    /// <summary>Gets the violations of a rule that no exception excuses, and the exceptions of the rule that excuse none.</summary>
    public static IReadOnlyList<string> Apply(string rule, IEnumerable<Violation> violations)
    {
        var entries = s_entries.Value.Where(entry => entry.Rule == rule).ToList();
        var found = violations.ToList();
        return
        [
            .. found.Where(violation => !entries.Exists(entry => entry.Excuses(violation))).Select(violation => violation.ToString()),
            .. entries.Where(entry => !found.Exists(entry.Excuses)).Select(entry => $"StyleExceptions.txt: nothing needs \"{entry}\""),
        ];
    }

    private sealed record Entry(string Rule, string File, string Fragment, string Reason)
    {
        public static Entry Parse(string line) =>
            line.Split(" | ", StringSplitOptions.TrimEntries) is [var rule, var file, var fragment, { Length: > 0 } reason]
            ? new Entry(rule, file, fragment, reason)
            : throw new FormatException($"StyleExceptions.txt: not RULE | FILE | FRAGMENT | REASON: {line}");

        public bool Excuses(Violation violation) =>
            (violation.File == File || (File.EndsWith('*') && violation.File.StartsWith(File[..^1], StringComparison.Ordinal)))
            && violation.What.Contains(Fragment, StringComparison.Ordinal);
    }
}
