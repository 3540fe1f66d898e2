using System.Text.Json.Serialization;
using KcdDelegation.DirectoryServices.Doctor;

namespace KcdDelegation.Tool.Output;

/// <summary>The differences between a report and an earlier one, or that of another host.</summary>
internal sealed record DoctorComparison
{
    /// <summary>Gets the path of the earlier report.</summary>
    public required string With { get; init; }

    /// <summary>Gets the start of the earlier run.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Gets what is FIX or LOOK now and was neither before.</summary>
    public required IReadOnlyList<FindingChange> New { get; init; }

    /// <summary>Gets what was LOOK and is FIX.</summary>
    public required IReadOnlyList<FindingChange> Worse { get; init; }

    /// <summary>Gets what was FIX or LOOK and is less now.</summary>
    public required IReadOnlyList<FindingChange> Mended { get; init; }

    /// <summary>Gets what was checked before and was not checked now.</summary>
    public required IReadOnlyList<FindingChange> NotChecked { get; init; }

    /// <summary>Gets what has the same verdict.</summary>
    public required IReadOnlyList<FindingChange> Unchanged { get; init; }

    /// <summary>Gets the settings that differ.</summary>
    public required IReadOnlyList<SettingChange> Settings { get; init; }

    /// <summary>Gets the name of the earlier report, without its directory.</summary>
    [JsonIgnore]
    public string Name => Path.GetFileName(With);

    /// <summary>Compares a report with an earlier one.</summary>
    public static DoctorComparison Create(
        EarlierReport earlier, IReadOnlyList<DoctorFinding> findings, IReadOnlyList<SettingsDigestLine> settings)
    {
        var changes = Match(earlier.Findings, findings);
        return new DoctorComparison
        {
            With = earlier.Path,
            StartedAt = earlier.StartedAt,
            New = Select(changes, static change => Rank(change.After) > 0 && Rank(change.Earlier) <= 0),
            Worse = Select(changes, static change => Rank(change.Earlier) > 0 && Rank(change.After) > Rank(change.Earlier)),
            Mended = Select(changes, static change => Rank(change.After) >= 0 && Rank(change.Earlier) > Rank(change.After)),
            NotChecked = Select(changes, static change => Rank(change.Earlier) >= 0 && Rank(change.After) < 0),
            Unchanged = Select(changes, static change => change.Earlier == change.After),
            Settings = Compare(earlier.Settings, settings),
        };
    }

    private static FindingChange[] Select(IEnumerable<FindingChange> changes, Func<FindingChange, bool> condition) =>
        [.. changes.Where(condition)];

    /// <summary>Orders the verdicts. Without a check, the state is not known.</summary>
    private static int Rank(DoctorVerdict? verdict) => verdict switch
    {
        DoctorVerdict.Fix => 2,
        DoctorVerdict.Look => 1,
        DoctorVerdict.Ok => 0,
        _ => -1,
    };

    /// <summary>Pairs the findings of the same check and subject. Several with both are paired in their order.</summary>
    private static List<FindingChange> Match(IReadOnlyList<EarlierFinding> earlier, IReadOnlyList<DoctorFinding> findings)
    {
        var remaining = earlier.GroupBy(finding => (finding.Check, finding.Subject))
            .ToDictionary(group => group.Key, group => new Queue<EarlierFinding>(group));
        var changes = new List<FindingChange>();
        foreach (var finding in findings)
        {
            var before = remaining.TryGetValue((finding.Check, finding.Subject), out var queue) && queue.TryDequeue(out var found)
                ? found.Verdict
                : (DoctorVerdict?)null;
            changes.Add(new FindingChange(finding.Check, finding.Subject, before, finding.Verdict, DoctorText.Summarize(finding))
            {
                Number = finding.Number,
            });
        }
        changes.AddRange(remaining.Values.SelectMany(queue => queue)
            .Select(finding => new FindingChange(finding.Check, finding.Subject, finding.Verdict, null, null)));
        return changes;
    }

    private static SettingChange[] Compare(IReadOnlyList<SettingsDigestLine> earlier, IReadOnlyList<SettingsDigestLine> settings)
    {
        // Settings with which a host would not start have no digest.
        if (earlier.Count == 0 || settings.Count == 0)
            return [];
        var (before, now) = (Index(earlier), Index(settings));
        return
        [
            .. settings.Concat(earlier).Select(line => line.Key).Distinct(StringComparer.Ordinal)
                .Select(key => new SettingChange(key, before.GetValueOrDefault(key), now.GetValueOrDefault(key)))
                .Where(change => !string.Equals(change.Before, change.Now, StringComparison.Ordinal)),
        ];
    }

    private static Dictionary<string, string> Index(IEnumerable<SettingsDigestLine> lines) =>
        lines.GroupBy(line => line.Key, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => string.Join(", ", group.Select(line => line.Value)), StringComparer.Ordinal);
}

/// <summary>One finding in two reports.</summary>
/// <param name="Check">The identifier of the check.</param>
/// <param name="Subject">What was examined.</param>
/// <param name="Earlier">The verdict of the earlier report; null if it has no such finding.</param>
/// <param name="After">The verdict of this report; null if it has no such finding.</param>
/// <param name="Text">What was found now, or null.</param>
internal sealed record FindingChange(
    string Check,
    string Subject,
    [property: JsonIgnore] DoctorVerdict? Earlier,
    [property: JsonIgnore] DoctorVerdict? After,
    string? Text)
{
    /// <summary>Gets the number in this report, or null.</summary>
    public int? Number { get; init; }

    public string? Before => Earlier is { } verdict ? DoctorJson.GetName(verdict) : null;

    public string? Now => After is { } verdict ? DoctorJson.GetName(verdict) : null;

    /// <summary>Returns the two verdicts as a phrase.</summary>
    public string DescribeVerdicts() => (Earlier, After) switch
    {
        ({ } before, { } now) => $"was {DoctorText.Name(before)}, is {DoctorText.Name(now)}",
        ({ } before, null) => $"was {DoctorText.Name(before)}, not in this report",
        (null, { } now) => $"is {DoctorText.Name(now)}, not in the earlier report",
        _ => "",
    };
}

/// <summary>One setting that differs.</summary>
/// <param name="Key">The key.</param>
/// <param name="Before">The value of the earlier report; null if it has no such setting.</param>
/// <param name="Now">The value of this report; null if it has no such setting.</param>
internal sealed record SettingChange(string Key, string? Before, string? Now)
{
    /// <summary>Returns the two values as a phrase.</summary>
    /// <param name="name">The name of the earlier report.</param>
    public string DescribeValues(string name) => $"{Describe(Before)} in {name}, {Describe(Now)} now";

    private static string Describe(string? value) => value is null ? "not set" : $"\"{value}\"";
}
