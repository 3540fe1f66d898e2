namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The findings of one run.</summary>
/// <param name="StartedAt">The start of the run, in UTC.</param>
/// <param name="Duration">The length of the run.</param>
/// <param name="Findings">The findings in the order of the stages.</param>
/// <param name="Settings">The digest of the settings, for a comparison with other hosts.</param>
internal sealed record DoctorReport(
    DateTimeOffset StartedAt, TimeSpan Duration, IReadOnlyList<DoctorFinding> Findings, IReadOnlyList<SettingsDigestLine> Settings)
{
    /// <summary>Gets the worst verdict.</summary>
    public DoctorVerdict Verdict => Findings.Any(finding => finding.Verdict == DoctorVerdict.Fix) ? DoctorVerdict.Fix
        : Findings.Any(finding => finding.Verdict == DoctorVerdict.Look) ? DoctorVerdict.Look
        : DoctorVerdict.Ok;

    /// <summary>Gets whether a server that should answer did not, so that the report is incomplete.</summary>
    public bool IsIncomplete => Findings.Any(finding => finding.IsNoAnswer);

    public int Count(DoctorVerdict verdict) => Findings.Count(finding => finding.Verdict == verdict);
}

/// <summary>One setting in effect. Secrets are not settings: they are in files.</summary>
/// <param name="Key">The key, without the section.</param>
/// <param name="Value">The value.</param>
internal sealed record SettingsDigestLine(string Key, string Value);
