using System.Reflection;
using System.Text;
using System.Text.Json;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The report of <c>kcd doctor</c>.</summary>
internal sealed record DoctorResult : CommandResult
{
    /// <summary>Gets the version of the tool.</summary>
    public static string Tool { get; } =
        typeof(DoctorResult).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    public required DoctorReport Report { get; init; }

    /// <summary>Gets the path of the settings.</summary>
    public required string Config { get; init; }

    /// <summary>Gets the comparison with an earlier report, or null.</summary>
    public DoctorComparison? Comparison { get; init; }

    /// <summary>Gets whether the findings were written while the checks ran.</summary>
    public bool IsWritten { get; init; }

    /// <summary>Gets the path of the page, or null if there is none.</summary>
    public string? Page { get; init; }

    public IReadOnlyList<DoctorFinding> Findings => Report.Findings;

    public double Seconds => Math.Round(Report.Duration.TotalSeconds, 1);

    public static DoctorResult FromReport(DoctorReport report, string config, bool isWritten) =>
        new() { Report = report, Config = config, IsWritten = isWritten };

    /// <summary>Returns the result with the differences from an earlier report.</summary>
    public DoctorResult CompareWith(EarlierReport? earlier) => earlier is null ? this : this with
    {
        Comparison = DoctorComparison.Create(earlier, Findings, Report.Settings),
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

    /// <summary>Returns the exit code. A fault that is only a missing answer is none of the settings or of the domain.</summary>
    public override ExitCode ToExitCode() =>
        Findings.Any(finding => finding is { Verdict: DoctorVerdict.Fix, IsNoAnswer: false }) ? ExitCode.Refused
        : Report.IsIncomplete ? ExitCode.NoAnswer
        : ExitCode.Done;

    public override void WriteText(OutputStream output)
    {
        if (!IsWritten)
        {
            foreach (var stage in Findings.GroupBy(finding => finding.Stage))
            {
                DoctorText.WriteStage(output, stage.Key);
                foreach (var finding in stage)
                    DoctorText.WriteFinding(output, finding);
            }
        }
        if (Comparison is not null)
            DoctorText.WriteComparison(output, Comparison);
        DoctorText.WriteSummary(output, Findings, Seconds, Report.IsIncomplete);
        if (Page is not null)
            output.Writer.WriteLine($"The report as a page: {LabelledLines.ToPrintable(Page)}");
    }

    public override void WriteJson(TextWriter output)
    {
        using var buffer = new MemoryStream();
        DoctorJson.Write(Report, Tool, Config, buffer, json =>
        {
            if (Comparison is null)
                return;
            json.WritePropertyName("comparison");
            JsonSerializer.Serialize(json, Comparison, JsonFormat);
        });
        output.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }
}
