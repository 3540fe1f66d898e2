using System.Reflection;
using System.Text.Json.Serialization;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The report of <c>kcd doctor</c>.</summary>
internal sealed record DoctorResult : CommandResult
{
    /// <summary>Gets the version of the tool.</summary>
    public string Tool { get; } =
        typeof(DoctorResult).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    /// <summary>Gets the path of the settings.</summary>
    public required string Config { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Gets the worst verdict: ok, look or fix.</summary>
    public required string Verdict { get; init; }

    /// <summary>Gets whether a server that should answer did not.</summary>
    public required bool IsIncomplete { get; init; }

    public required IReadOnlyList<FindingResult> Findings { get; init; }

    /// <summary>Gets the settings in effect, for a comparison with other hosts.</summary>
    public required IReadOnlyList<SettingsDigestLine> Settings { get; init; }

    /// <summary>Gets the comparison with an earlier report, or null.</summary>
    public DoctorComparison? Comparison { get; init; }

    /// <summary>Gets whether the findings were written while the checks ran.</summary>
    [JsonIgnore]
    public bool IsWritten { get; init; }

    /// <summary>Gets the path of the page, or null if there is none.</summary>
    [JsonIgnore]
    public string? Page { get; init; }

    public static DoctorResult FromReport(DoctorReport report, string config, bool isWritten) => new()
    {
        Config = config,
        StartedAt = report.StartedAt,
        Seconds = Math.Round(report.Duration.TotalSeconds, 1),
        Verdict = Name(report.Verdict),
        IsIncomplete = report.IsIncomplete,
        Findings = [.. report.Findings.Select(FindingResult.FromFinding)],
        Settings = report.Settings,
        IsWritten = isWritten,
    };

    /// <summary>Returns the result with the differences from an earlier report.</summary>
    public DoctorResult CompareWith(EarlierReport? earlier) => earlier is null ? this : this with
    {
        Comparison = DoctorComparison.Create(earlier, [.. Findings.Select(finding => finding.Source)], Settings),
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
        path, isWritten: false);

    public override ExitCode ToExitCode() => Verdict == Name(DoctorVerdict.Fix) ? ExitCode.Refused
        : IsIncomplete ? ExitCode.NoAnswer
        : ExitCode.Done;

    public override void WriteText(OutputStream output)
    {
        if (!IsWritten)
        {
            foreach (var stage in Findings.GroupBy(finding => finding.Source.Stage))
            {
                DoctorText.WriteStage(output, stage.Key);
                foreach (var finding in stage)
                    DoctorText.WriteFinding(output, finding.Source);
            }
        }
        if (Comparison is not null)
            DoctorText.WriteComparison(output, Comparison);
        DoctorText.WriteSummary(output, [.. Findings.Select(finding => finding.Source)], Seconds, IsIncomplete);
        if (Page is not null)
            output.Writer.WriteLine($"The report as a page: {LabelledLines.ToPrintable(Page)}");
    }

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
