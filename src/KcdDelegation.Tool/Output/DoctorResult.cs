using System.Globalization;
using System.Text.Json.Serialization;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The report of <c>kcd doctor</c>.</summary>
internal sealed record DoctorResult : CommandResult
{
    private const int VerdictWidth = 7;

    public required DateTimeOffset StartedAt { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Gets the worst verdict: ok, look or fix.</summary>
    public required string Verdict { get; init; }

    /// <summary>Gets whether a server that should answer did not.</summary>
    public required bool IsIncomplete { get; init; }

    public required IReadOnlyList<FindingResult> Findings { get; init; }

    /// <summary>Gets the settings in effect, for a comparison with other hosts.</summary>
    public required IReadOnlyList<SettingsDigestLine> Settings { get; init; }

    /// <summary>Gets whether the findings were written while the checks ran.</summary>
    [JsonIgnore]
    public bool IsWritten { get; init; }

    public static DoctorResult FromReport(DoctorReport report, bool isWritten) => new()
    {
        StartedAt = report.StartedAt,
        Seconds = Math.Round(report.Duration.TotalSeconds, 1),
        Verdict = Name(report.Verdict),
        IsIncomplete = report.IsIncomplete,
        Findings = [.. report.Findings.Select(FindingResult.FromFinding)],
        Settings = report.Settings,
        IsWritten = isWritten,
    };

    /// <summary>Creates the result for settings with which a host would not start.</summary>
    public static DoctorResult FromSettingsErrors(string path, IReadOnlyList<string> errors, string commandLine) => FromReport(
        new DoctorReport(
            TimeProvider.System.GetUtcNow(), TimeSpan.Zero,
            [
                new DoctorFinding
                {
                    Number = 1,
                    Check = "settings.valid",
                    Stage = DoctorStage.Delegation,
                    Verdict = DoctorVerdict.Fix,
                    Subject = path,
                    Title = "The settings are valid.",
                    Text = errors.Count == 1 ? errors[0] : $"{errors.Count} settings are not valid.",
                    Evidence = errors.Count == 1 ? [] : errors,
                    Remedy = "Correct the settings. The other checks are made when a host would start with them.",
                    Proof = commandLine,
                    Help = "check-settings-valid",
                },
            ],
            []),
        isWritten: false);

    public override ExitCode ToExitCode() => Verdict == Name(DoctorVerdict.Fix) ? ExitCode.Refused
        : IsIncomplete ? ExitCode.NoAnswer
        : ExitCode.Done;

    public override void WriteText(OutputStream output)
    {
        if (!IsWritten)
        {
            foreach (var stage in Findings.GroupBy(finding => finding.Stage, StringComparer.Ordinal))
            {
                WriteStage(output, Enum.Parse<DoctorStage>(stage.Key, ignoreCase: true));
                foreach (var finding in stage)
                    WriteFinding(output, finding.Source);
            }
        }
        output.Writer.WriteLine();
        output.Writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Count(DoctorVerdict.Fix)} FIX, {Count(DoctorVerdict.Look)} LOOK, {Count(DoctorVerdict.Ok)} OK, "
            + $"{Count(DoctorVerdict.Skipped)} SKIPPED in {Seconds:0.0} s"));
        if (IsIncomplete)
            output.Writer.WriteLine("A server did not answer, so the report is incomplete.");
    }

    public static void WriteStage(OutputStream output, DoctorStage stage)
    {
        output.Writer.WriteLine();
        output.Writer.WriteLine(stage switch
        {
            DoctorStage.Identity => "Identity: who is the caller, and which account does the directory have under that name?",
            DoctorStage.Delegation => "Delegation: can the account get a ticket for that user to that service?",
            DoctorStage.Target => "Target: does the backend accept the ticket?",
            _ => "Domain: settings that affect every account",
        });
    }

    /// <summary>Writes one line for the finding, and below it what an administrator needs to act on it.</summary>
    public static void WriteFinding(OutputStream output, DoctorFinding finding)
    {
        var verdict = finding.Verdict == DoctorVerdict.Skipped ? "SKIPPED" : finding.Verdict.ToString().ToUpperInvariant();
        var text = finding.Verdict == DoctorVerdict.Skipped ? $"because: {finding.Text}" : finding.Text;
        Write(output, string.Create(CultureInfo.InvariantCulture, $"{finding.Number,3}  {verdict.PadRight(VerdictWidth)}  "),
            $"{finding.Title} {text} [{finding.Check}, {finding.Subject}]");
        if (finding.Verdict is DoctorVerdict.Ok or DoctorVerdict.Skipped)
            return;
        foreach (var line in finding.Evidence)
            Write(output, "              evidence  ", line);
        if (finding.Remedy is not null)
            Write(output, "              remedy    ", finding.Remedy.Replace("`", "", StringComparison.Ordinal));
        foreach (var command in finding.Commands)
        {
            // Commands are never wrapped, so that they can be copied.
            if (command.System is not null)
                output.Writer.WriteLine($"              mend      on {command.System}:");
            output.Writer.WriteLine(
                $"              {(command.System is null ? "mend    " : "        ")}  {LabelledLines.ToPrintable(command.Text)}");
        }
        if (finding.Proof is not null)
            output.Writer.WriteLine($"              prove     {LabelledLines.ToPrintable(finding.Proof)}");
        output.Writer.WriteLine($"              more      docs/troubleshooting.md#{finding.Help}");
    }

    private int Count(DoctorVerdict verdict) => Findings.Count(finding => finding.Verdict == Name(verdict));

    private static void Write(OutputStream output, string head, string text) => LabelledLines.WriteWrapped(output, head, text);

    public static string Name(Enum value) => value.ToString().ToLowerInvariant();
}

/// <summary>One finding, as JSON.</summary>
internal sealed record FindingResult
{
    private FindingResult(DoctorFinding source) => Source = source;

    [JsonIgnore]
    public DoctorFinding Source { get; }

    public int Number => Source.Number;

    public string Check => Source.Check;

    public string Stage => DoctorResult.Name(Source.Stage);

    public string Verdict => DoctorResult.Name(Source.Verdict);

    public string Subject => Source.Subject;

    public string Title => Source.Title;

    public string Text => Source.Text;

    public IReadOnlyList<string> Evidence => Source.Evidence;

    public string? Remedy => Source.Remedy;

    /// <summary>Gets the commands that mend it, in the order in which they are run.</summary>
    public IReadOnlyList<DoctorCommand> Mend => Source.Commands;

    /// <summary>Gets the command that shows whether it is mended.</summary>
    public string? Prove => Source.Proof;

    public string Help => $"docs/troubleshooting.md#{Source.Help}";

    public bool IsNoAnswer => Source.IsNoAnswer;

    public static FindingResult FromFinding(DoctorFinding finding) => new(finding);
}
