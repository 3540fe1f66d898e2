using System.Globalization;
using System.Text;

namespace KcdDelegation.Benchmarks.Report;

/// <summary>A page of results in Markdown, with the machine in the first lines.</summary>
internal sealed class ResultFile(string directory, string name, string title)
{
    private readonly StringBuilder _text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"# {title}\n\n{Machine.Describe()}\n");

    public ResultFile Text(string text)
    {
        _text.Append(CultureInfo.InvariantCulture, $"\n{text}\n");
        return this;
    }

    public ResultFile Table(IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows)
    {
        _text.Append(CultureInfo.InvariantCulture,
            $"\n| {string.Join(" | ", head)} |\n|{string.Concat(Enumerable.Repeat(" --- |", head.Count))}\n");
        foreach (var row in rows)
            _text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |\n");
        return this;
    }

    public ResultFile Plot(BarPlot plot)
    {
        File.WriteAllText(Path.Combine(directory, plot.Name + ".svg"), plot.ToSvg());
        return Text($"![{plot.Title}]({plot.Name}.svg)");
    }

    public void Write()
    {
        File.WriteAllText(Path.Combine(directory, name + ".md"), _text.ToString());
        Console.WriteLine(_text);
    }
}

/// <summary>The number formats of the pages.</summary>
internal static class Numbers
{
    public static string Number(this double value, int digits = 2) => value.ToString($"N{digits}", CultureInfo.InvariantCulture);

    /// <summary>Formats nanoseconds as microseconds.</summary>
    public static string Microseconds(this double nanoseconds) => (nanoseconds / 1000).Number(nanoseconds < 100_000 ? 2 : 0);

    public static string Times(this double ratio) => ratio.Number(ratio < 10 ? 2 : 0) + " x";
}
