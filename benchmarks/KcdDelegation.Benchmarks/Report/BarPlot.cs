using System.Globalization;
using System.Net;
using System.Text;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Benchmarks.Report;

/// <summary>A plot of grouped horizontal bars as SVG. Times of very different sizes use a logarithmic axis.</summary>
internal sealed record BarPlot(string Name, string Title, string Unit)
{
    private const int LabelWidth = 330, PlotWidth = 430, BarHeight = 16, GroupGap = 30, Top = 46;

    private readonly List<(string Group, List<(string Label, double Value, bool Ours)> Bars)> _groups = [];

    public bool Logarithmic { get; init; }

    public void Add(string group, IEnumerable<(string Label, double Value, bool Ours)> bars) => _groups.Add((group, [.. bars]));

    public string ToSvg()
    {
        var values = _groups.SelectMany(group => group.Bars).Select(bar => bar.Value).ToList();
        var (low, high) = (Logarithmic ? values.Min() / 2 : 0, values.Max());
        var body = new StringBuilder();
        var y = Top;
        foreach (var (group, bars) in _groups)
        {
            body.Append(CultureInfo.InvariantCulture, $"<text x=\"12\" y=\"{y + 12}\" "
                + $"font-weight=\"bold\">{WebUtility.HtmlEncode(group)}</text>\n");
            y += 20;
            foreach (var (label, value, ours) in bars)
            {
                var width = PlotWidth * (Logarithmic ? Math.Log(value / low) / Math.Log(high / low) : value / high);
                body.Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth - 8}\" y=\"{y + 12}\" "
                    + $"text-anchor=\"end\">{WebUtility.HtmlEncode(label)}</text>");
                body.Append(CultureInfo.InvariantCulture, $"<rect x=\"{LabelWidth}\" y=\"{y + 1}\" width=\"{Math.Max(width, 1):0.#}\" "
                    + $"height=\"{BarHeight - 3}\" fill=\"{(ours ? "#0b6e4f" : "#9aa5b1")}\"/>");
                body.Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth + width + 6:0.#}\" "
                    + $"y=\"{y + 12}\">{value:#,0.##}</text>\n");
                y += BarHeight;
            }
            y += GroupGap - 20;
        }
        return string.Create(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{LabelWidth + PlotWidth + 90}" height="{y + 6}" font-family="sans-serif" font-size="12" fill="#1f2933">
            <rect width="100%" height="100%" fill="#ffffff"/>
            <text x="12" y="20" font-size="15" font-weight="bold">{WebUtility.HtmlEncode(Title)}</text>
            <text x="12" y="36" fill="#52606d">{WebUtility.HtmlEncode(Unit)}{(Logarithmic ? ", logarithmic" : "")}; shorter is better</text>
            {body}</svg>

            """);
    }
}
