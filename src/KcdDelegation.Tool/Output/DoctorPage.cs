using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using KcdDelegation.DirectoryServices.Doctor;

namespace KcdDelegation.Tool.Output;

/// <summary>The report of <c>kcd doctor</c> as one HTML page, which needs no script and no other file.</summary>
/// <remarks>Every text of the report is encoded. The policy of the page allows its own style sheet and nothing else, so that no text of a
/// directory or a backend becomes markup, a script or a request.</remarks>
internal sealed class DoctorPage
{
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private static readonly string Style = ReadStyle();
    private static readonly string StyleHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)));

    /// <summary>The address of the project's sources, or null if the packages have none.</summary>
    private static readonly string? Repository = typeof(DoctorPage).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(entry => entry is { Key: "RepositoryUrl", Value: { } value }
            && value.StartsWith("https://", StringComparison.Ordinal))?.Value?.TrimEnd('/');

    private readonly StringBuilder _page = new();
    private readonly DoctorResult _result;
    private readonly IReadOnlyList<DoctorFinding> _findings;

    private DoctorPage(DoctorResult result) =>
        (_result, _findings) = (result, result.Findings);

    /// <summary>Returns the page.</summary>
    public static string Render(DoctorResult result)
    {
        var page = new DoctorPage(result);
        page.WriteDocument();
        return page._page.ToString();
    }

    private void WriteDocument()
    {
        _page.Append(CultureInfo.InvariantCulture, $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy"
              content="default-src 'none'; style-src 'sha256-{StyleHash}'; base-uri 'none'; form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <meta name="robots" content="noindex">
            <title>kcd doctor: {Encode(DescribeVerdict())} {Encode(Path.GetFileName(_result.Config))}</title>
            <style>{Style}</style>
            </head>
            <body>

            """);
        WriteHeader();
        _page.Append("<main>\n");
        WriteFaults();
        if (_result.Comparison is { } comparison)
            WriteComparison(comparison);
        foreach (var stage in _findings.GroupBy(finding => finding.Stage))
            WriteStage(stage.Key, stage);
        _page.Append("""
            </main>
            <footer>
            <p>The report names users, accounts and servers. It contains no keys, passwords or tickets.</p>
            </footer>
            </body>
            </html>

            """);
    }

    private void WriteHeader()
    {
        // An incomplete report without a fault is not a healthy one.
        var verdict = DoctorJson.GetName(
            _result.Report is { IsIncomplete: true, Verdict: DoctorVerdict.Ok } ? DoctorVerdict.Look : _result.Report.Verdict);
        _page.Append(CultureInfo.InvariantCulture, $"""
            <header class="summary {Encode(verdict)}">
            <h1>Report of kcd doctor</h1>
            <p class="verdict">{Encode(DescribeVerdict())}</p>

            """);
        if (_result.Report.IsIncomplete)
            _page.Append("<p>A server did not answer, so the report is incomplete.</p>\n");
        _page.Append("<ul class=\"counts\">\n");
        foreach (var each in (DoctorVerdict[])[DoctorVerdict.Fix, DoctorVerdict.Look, DoctorVerdict.Ok, DoctorVerdict.Skipped])
        {
            var count = Count(each);
            _page.Append(CultureInfo.InvariantCulture, $"<li class=\"{(count == 0 ? "none" : "some")}\">{Badge(each)} {count}</li>\n");
        }
        _page.Append("</ul>\n<dl>\n");
        WriteFact("Settings", _result.Config);
        WriteFact("Started", _result.Report.StartedAt.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture));
        WriteFact("Duration", string.Create(CultureInfo.InvariantCulture, $"{_result.Seconds:0.0} s"));
        WriteFact("Version", $"kcd {DoctorResult.Tool}");
        _page.Append("</dl>\n</header>\n");
    }

    private void WriteFact(string name, string value) =>
        _page.Append(CultureInfo.InvariantCulture, $"<dt>{Encode(name)}</dt><dd>{Encode(value)}</dd>\n");

    private void WriteFaults()
    {
        var faults = DoctorText.OrderFaults(_findings);
        if (faults.Count == 0)
            return;
        _page.Append("<section class=\"first\">\n<h2>Correct first</h2>\n<ol>\n");
        foreach (var fault in faults)
        {
            _page.Append(CultureInfo.InvariantCulture,
                $"<li><a href=\"#{Anchor(fault)}\">{Encode(fault.Text)}</a> {Source(fault)}</li>\n");
        }
        _page.Append("</ol>\n</section>\n");
    }

    private void WriteComparison(DoctorComparison comparison)
    {
        var start = comparison.StartedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
        _page.Append(CultureInfo.InvariantCulture,
            $"<section class=\"comparison\">\n<h2>Comparison<span>With {Encode(comparison.With)} of {Encode(start)}</span></h2>\n<dl>\n");
        foreach (var (name, changes) in DoctorText.GetGroups(comparison).Where(group => group.Changes.Count > 0))
            WriteChanges(name, changes.Select(RenderChange));
        if (comparison.Settings.Count > 0)
        {
            WriteChanges("settings", comparison.Settings.Select(change =>
                $"<code>{Encode(change.Key)}</code>: {Encode(change.DescribeValues(comparison.Name))}"));
        }
        WriteChanges("unchanged", [Encode(DoctorText.CountUnchanged(comparison))]);
        _page.Append("</dl>\n</section>\n");
    }

    /// <summary>Writes one group of changes.</summary>
    /// <param name="name">The name of the group, as text.</param>
    /// <param name="changes">The changes, as markup.</param>
    private void WriteChanges(string name, IEnumerable<string> changes) => _page.Append(CultureInfo.InvariantCulture,
        $"<dt>{Encode(char.ToUpperInvariant(name[0]) + name[1..])}</dt>\n<dd><ul>{string.Concat(changes.Select(
            change => $"<li>{change}</li>\n"))}</ul></dd>\n");

    private static string RenderChange(FindingChange change)
    {
        var text = change.Text is null ? "" : RenderText(change.Text);
        if (change.Number is { } number)
            text = string.Create(CultureInfo.InvariantCulture, $"<a href=\"#finding-{number}\">{text}</a>");
        return $"{text} {Encode($"({change.DescribeVerdicts()})")} {Source(change.Check, change.Subject)}";
    }

    private void WriteStage(DoctorStage stage, IEnumerable<DoctorFinding> findings)
    {
        var (name, question) = DoctorText.DescribeStage(stage);
        _page.Append(CultureInfo.InvariantCulture, $"""
            <section>
            <h2>{Encode(name)}<span>{Encode(char.ToUpperInvariant(question[0]) + question[1..])}</span></h2>
            <ol class="findings">

            """);
        foreach (var finding in findings)
            WriteFinding(finding);
        _page.Append("</ol>\n</section>\n");
    }

    private void WriteFinding(DoctorFinding finding)
    {
        _page.Append(CultureInfo.InvariantCulture, $"""
            <li class="finding {DoctorJson.GetName(finding.Verdict)}" id="{Anchor(finding)}">
            <span class="number">{finding.Number}</span>
            <span>{Badge(finding.Verdict)}</span>
            <div class="body">

            """);
        var line = $"{RenderText(DoctorText.Summarize(finding))}";
        if (finding.Verdict is DoctorVerdict.Fix or DoctorVerdict.Look)
        {
            _page.Append(CultureInfo.InvariantCulture, $"<h3>{line}</h3>\n{Source(finding)}\n");
            WriteDetails(finding);
        }
        else if (finding.Evidence.Count > 0)
        {
            _page.Append(CultureInfo.InvariantCulture,
                $"<details><summary>{line} {Source(finding)} <span class=\"more\">evidence</span></summary>\n");
            WriteEvidence(finding);
            _page.Append("</details>\n");
        }
        else
        {
            _page.Append(CultureInfo.InvariantCulture, $"{line} {Source(finding)}\n");
        }
        _page.Append("</div>\n</li>\n");
    }

    private void WriteDetails(DoctorFinding finding)
    {
        _page.Append("<div class=\"details\">\n");
        WriteDetail("Expected", $"<p>{Encode(finding.Title)}</p>");
        if (finding.Evidence.Count > 0)
        {
            _page.Append("<div><h4>Evidence</h4>\n");
            WriteEvidence(finding);
            _page.Append("</div>\n");
        }
        if (finding.Remedy is { } remedy)
            WriteDetail("Remedy", $"<p>{RenderText(remedy)}</p>");
        foreach (var command in finding.Commands)
            WriteDetail(command.System is { } system ? $"Command on {system}" : "Command", RenderCommand(command.Text));
        if (finding.Proof is { } proof)
            WriteDetail("Proof", RenderCommand(proof));
        WriteDetail("More", $"<p>{RenderHelp(finding.Help)}</p>");
        _page.Append("</div>\n");
    }

    /// <summary>Writes a heading and the content below it.</summary>
    /// <param name="heading">The heading, as text.</param>
    /// <param name="content">The content, as markup.</param>
    private void WriteDetail(string heading, string content) =>
        _page.Append(CultureInfo.InvariantCulture, $"<div><h4>{Encode(heading)}</h4>\n{content}</div>\n");

    private void WriteEvidence(DoctorFinding finding)
    {
        _page.Append("<ul class=\"evidence\">\n");
        foreach (var line in finding.Evidence)
            _page.Append(CultureInfo.InvariantCulture, $"<li>{Encode(line)}</li>\n");
        _page.Append("</ul>\n");
    }

    private string DescribeVerdict()
    {
        var (faults, notices, skipped) = (Count(DoctorVerdict.Fix), Count(DoctorVerdict.Look), Count(DoctorVerdict.Skipped));
        var text = faults switch
        {
            0 when _result.Report.IsIncomplete => "No fault was found, but a server did not answer.",
            0 => "No fault was found.",
            1 => "1 fault needs a correction.",
            _ => $"{faults} faults need a correction.",
        };
        if (faults == 0 && notices > 0)
            text += notices == 1 ? " 1 finding should be known." : $" {notices} findings should be known.";
        return skipped switch
        {
            0 => text,
            1 => $"{text} 1 check was not made.",
            _ => $"{text} {skipped} checks were not made.",
        };
    }

    private int Count(DoctorVerdict verdict) => _findings.Count(finding => finding.Verdict == verdict);

    private static string Anchor(DoctorFinding finding) => string.Create(CultureInfo.InvariantCulture, $"finding-{finding.Number}");

    /// <summary>Returns the verdict as a sign, a word and a color, so that none of them is needed alone.</summary>
    private static string Badge(DoctorVerdict verdict)
    {
        var sign = verdict switch
        {
            DoctorVerdict.Ok => "✓",
            DoctorVerdict.Fix => "✕",
            DoctorVerdict.Look => "!",
            _ => "–",
        };
        var (kind, word) = (DoctorJson.GetName(verdict), DoctorText.Name(verdict));
        return $"<span class=\"badge {kind}\"><span aria-hidden=\"true\">{sign}</span> {word}</span>";
    }

    private static string Source(DoctorFinding finding) => Source(finding.Check, finding.Subject);

    private static string Source(string check, string subject) =>
        $"<span class=\"source\"><code>{Encode(check)}</code> · <bdi>{Encode(subject)}</bdi></span>";

    private static string RenderCommand(string command) => $"<pre tabindex=\"0\"><code>{Encode(command)}</code></pre>";

    /// <summary>Returns text whose commands are in backquotes.</summary>
    private static string RenderText(string text) => string.Concat(
        text.Split('`').Select((part, index) => index % 2 == 0 ? Encode(part) : $"<code>{Encode(part)}</code>"));

    private static string RenderHelp(string help)
    {
        var page = Encode($"docs/troubleshooting.md#{help}");
        return Repository is null ? page : $"<a href=\"{Encode(Repository)}/blob/HEAD/{page}\">{page}</a>";
    }

    /// <summary>Returns text as markup. Characters that hide or change the direction of the text are written as code points.</summary>
    private static string Encode(string text) => Encoder.Encode(LabelledLines.ToPrintable(text));

    private static string ReadStyle()
    {
        using var style = new StreamReader(typeof(DoctorPage).Assembly.GetManifestResourceStream("doctor.css")!);
        return "\n" + style.ReadToEnd().ReplaceLineEndings("\n");
    }
}
