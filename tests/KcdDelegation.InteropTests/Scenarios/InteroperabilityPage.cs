using System.Text;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>docs/interoperability.md: tables between markers, made from what a test run saw, and checked for drift by every later run.</summary>
internal static class InteroperabilityPage
{
    private static string FilePath => Path.GetFullPath(Path.Combine(Lab.Scripts, "..", "..", "docs", "interoperability.md"));

    private static readonly SemaphoreSlim OneAtATime = new(1, 1);

    public static async Task<string> TableAsync(IReadOnlyList<string> columns, IEnumerable<string> rows, Func<string, string, Task<string>> cell)
    {
        var table = new StringBuilder($"| | {string.Join(" | ", columns)} |\n|---{string.Concat(columns.Select(_ => "|---"))}|\n");
        foreach (var row in rows)
        {
            table.Append("| ").Append(row).Append(" |");
            foreach (var column in columns)
                table.Append(' ').Append(await cell(row, column)).Append(" |");
            table.Append('\n');
        }
        return table.ToString();
    }

    /// <summary>Fails if the page's section differs from the table; with KCD_WRITE_DOCS=1 writes it instead.</summary>
    public static async Task CheckAsync(string section, string table)
    {
        await OneAtATime.WaitAsync();
        try
        {
            var (begin, end) = ($"<!-- begin {section}: written by the interop tests -->\n", $"<!-- end {section} -->");
            var page = await File.ReadAllTextAsync(FilePath);
            var from = page.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
            var to = page.IndexOf(end, StringComparison.Ordinal);
            (from >= begin.Length && to >= from).ShouldBeTrue($"docs/interoperability.md has no section {section}");
            if (Environment.GetEnvironmentVariable("KCD_WRITE_DOCS") == "1")
                await File.WriteAllTextAsync(FilePath, page[..from] + table + page[to..]);
            else
                page[from..to].ShouldBe(table, "docs/interoperability.md has drifted; run the interop tests with KCD_WRITE_DOCS=1");
        }
        finally
        {
            OneAtATime.Release();
        }
    }
}
