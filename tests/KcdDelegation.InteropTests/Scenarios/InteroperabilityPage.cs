using System.Text;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>docs/interoperability.md: tables between markers, generated from the outcomes of a test run, and compared by every later
/// run.</summary>
internal static class InteroperabilityPage
{
    public static async Task<string> TableAsync(
        IReadOnlyList<string> columns, IEnumerable<string> rows, Func<string, string, Task<string>> cell)
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
    public static Task CheckAsync(string section, string table) => GeneratedSection.CheckAsync("interoperability.md", section, table);
}
