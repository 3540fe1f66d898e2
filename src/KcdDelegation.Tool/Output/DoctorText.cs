using System.Globalization;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The report of <c>kcd doctor</c> as text: one line for each check, and the details of what needs attention.</summary>
internal static class DoctorText
{
    private const int VerdictWidth = 7;
    private const int LabelWidth = 8;
    private const string Indentation = "              ";

    public static void WriteStage(OutputStream output, DoctorStage stage)
    {
        var (name, question) = DescribeStage(stage);
        output.Writer.WriteLine();
        LabelledLines.WriteWrapped(output, [], [new(name, TextStyle.Strong), new($": {question}")]);
    }

    /// <summary>Returns the name of the stage and the question that it answers.</summary>
    public static (string Name, string Question) DescribeStage(DoctorStage stage) => stage switch
    {
        DoctorStage.Identity => ("Identity", "who is the caller, and which account does the directory have under that name?"),
        DoctorStage.Delegation => ("Delegation", "can the account get a ticket for that user to that service?"),
        DoctorStage.Target => ("Target", "does the backend accept the ticket?"),
        _ => ("Domain", "settings that affect every account"),
    };

    /// <summary>Returns the verdict as it is printed.</summary>
    public static string Name(DoctorVerdict verdict) => verdict.ToString().ToUpperInvariant();

    /// <summary>Returns the sentence that represents the finding: the expected state if it is so, otherwise what was found
    /// instead.</summary>
    public static string Summarize(DoctorFinding finding) => finding switch
    {
        { Verdict: DoctorVerdict.Skipped } => $"{finding.Title} Not checked because: {finding.Text}",
        { Verdict: DoctorVerdict.Ok } => $"{finding.Title} {finding.Text}".TrimEnd(),
        _ => finding.Text,
    };

    /// <summary>Writes one line for the finding, and below it what an administrator needs to act on it.</summary>
    public static void WriteFinding(OutputStream output, DoctorFinding finding)
    {
        var style = finding.Verdict switch
        {
            DoctorVerdict.Fix => TextStyle.Bad,
            DoctorVerdict.Look => TextStyle.Notice,
            DoctorVerdict.Ok => TextStyle.Good,
            _ => TextStyle.Quiet,
        };
        LabelledLines.WriteWrapped(
            output,
            [
                new(string.Create(CultureInfo.InvariantCulture, $"{finding.Number,3}  ")),
                new(Name(finding.Verdict).PadRight(VerdictWidth), style),
                new("  "),
            ],
            [
                new(Summarize(finding), finding.Verdict is DoctorVerdict.Fix or DoctorVerdict.Look ? TextStyle.Strong : TextStyle.Plain),
                new($" [{finding.Check}, {finding.Subject}]", TextStyle.Quiet),
            ]);
        if (finding.Verdict is DoctorVerdict.Fix or DoctorVerdict.Look)
            WriteDetails(output, finding);
    }

    /// <summary>Writes the counts, the findings to begin with, and whether the report is complete.</summary>
    public static void WriteSummary(OutputStream output, IReadOnlyList<DoctorFinding> findings, double seconds, bool isIncomplete)
    {
        output.Writer.WriteLine();
        var faults = OrderFaults(findings);
        if (faults.Count > 1)
        {
            output.Writer.WriteLine("Correct the faults in this order, and run the command again after each:");
            foreach (var fault in faults)
                LabelledLines.WriteWrapped(output, Number(fault), fault.Text);
            output.Writer.WriteLine();
        }
        var counts = string.Join(", ", ((DoctorVerdict[])[DoctorVerdict.Fix, DoctorVerdict.Look, DoctorVerdict.Ok, DoctorVerdict.Skipped])
            .Select(verdict => $"{findings.Count(finding => finding.Verdict == verdict)} {Name(verdict)}"));
        output.Write(string.Create(CultureInfo.InvariantCulture, $"{counts} in {seconds:0.0} s"), TextStyle.Strong);
        output.Writer.WriteLine();
        if (isIncomplete)
            output.Writer.WriteLine("A server did not answer, so the report is incomplete.");
    }

    /// <summary>Writes the differences from an earlier report.</summary>
    public static void WriteComparison(OutputStream output, DoctorComparison comparison)
    {
        output.Writer.WriteLine();
        var title = string.Create(
            CultureInfo.InvariantCulture, $"Compared with {comparison.With} of {comparison.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
        output.Write(LabelledLines.ToPrintable(title), TextStyle.Strong);
        output.Writer.WriteLine();
        foreach (var (name, changes) in GetGroups(comparison))
        {
            foreach (var change in changes)
            {
                var text = change.Text is null ? change.DescribeVerdicts() : $"{change.DescribeVerdicts()}: {change.Text}";
                WriteChange(output, name, text, $" [{change.Check}, {change.Subject}]");
            }
        }
        foreach (var setting in comparison.Settings)
            WriteChange(output, "setting", $"{setting.Key}: {setting.DescribeValues(comparison.Name)}", "");
        WriteChange(output, "unchanged", CountUnchanged(comparison), "");
    }

    /// <summary>Returns the groups that an administrator reads. A check that was OK and was not made again is no news.</summary>
    public static IEnumerable<(string Name, IReadOnlyList<FindingChange> Changes)> GetGroups(DoctorComparison comparison) =>
    [
        ("new", comparison.New), ("worse", comparison.Worse), ("mended", comparison.Mended),
        ("not checked", [.. comparison.NotChecked.Where(change => change.Earlier != DoctorVerdict.Ok)]),
    ];

    /// <summary>Returns the number of findings with the same verdict, by verdict.</summary>
    public static string CountUnchanged(DoctorComparison comparison) => comparison.Unchanged.Count == 0 ? "no finding" : string.Join(
        ", ", comparison.Unchanged.GroupBy(change => change.After!.Value).OrderByDescending(group => group.Key == DoctorVerdict.Fix)
            .Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {Name(group.Key)}")));

    /// <summary>Returns the faults. Those for which other checks were skipped come first.</summary>
    public static IReadOnlyList<DoctorFinding> OrderFaults(IReadOnlyList<DoctorFinding> findings) =>
    [
        .. findings.Where(finding => finding.Verdict == DoctorVerdict.Fix)
            .OrderByDescending(fault => findings.Count(finding => finding.Verdict == DoctorVerdict.Skipped
                && finding.Text.Contains($"(check {fault.Check})", StringComparison.Ordinal))),
    ];

    private static void WriteDetails(OutputStream output, DoctorFinding finding)
    {
        WriteDetail(output, "expected", finding.Title);
        foreach (var line in finding.Evidence)
            WriteDetail(output, "evidence", line);
        if (finding.Remedy is not null)
            WriteDetail(output, "remedy", finding.Remedy.Replace("`", "", StringComparison.Ordinal));
        foreach (var command in finding.Commands)
        {
            if (command.System is not null)
                WriteDetail(output, "command", $"on {command.System}:");
            WriteCommand(output, command.System is null ? "command" : "", command.Text);
        }
        if (finding.Proof is not null)
            WriteCommand(output, "proof", finding.Proof);
        WriteDetail(output, "more", $"docs/troubleshooting.md#{finding.Help}");
    }

    private static void WriteChange(OutputStream output, string label, string text, string source) => LabelledLines.WriteWrapped(
        output, [new($"  {label,-11}  ", TextStyle.Quiet)], [new(text), new(source, TextStyle.Quiet)]);

    private static void WriteDetail(OutputStream output, string label, string text) =>
        LabelledLines.WriteWrapped(output, [Label(label)], [new(text)]);

    /// <summary>Writes a command in one line, so that it can be copied.</summary>
    private static void WriteCommand(OutputStream output, string label, string command)
    {
        var (text, style) = Label(label);
        output.Write(text, style);
        output.Write(LabelledLines.ToPrintable(command), TextStyle.Command);
        output.Writer.WriteLine();
    }

    private static StyledText Label(string label) => new($"{Indentation}{label.PadRight(LabelWidth)}  ", TextStyle.Quiet);

    private static string Number(DoctorFinding finding) => string.Create(CultureInfo.InvariantCulture, $"{finding.Number,3}  ");
}
