using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace KcdDelegation.Gateway.Tests.Load;

/// <summary>The report of a load in Markdown.</summary>
internal static class LoadReport
{
    public static string Write(LoadRecord record, int users, TimeSpan duration, LoadSummary summary)
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        Line($"# Mixed load of the gateway");
        Line($"");
        Line($"`tests/mixed-load` writes this page. It starts `kcd-gateway` as a process and sends requests of {users} users for");
        Line($"{duration.TotalSeconds:0} seconds to three applications: one with delegation and sign-in, one without delegation, and");
        Line($"an API with bearer tokens. During the load, it restarts the KDC, the application and the providers, and replaces");
        Line($"the settings and the certificate. The machine has {Environment.ProcessorCount} processors");
        Line($"({RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.FrameworkDescription}). The clients, the application");
        Line($"and the KDC use them too.");
        Line($"");
        Line($"| Requests | Complete |");
        Line($"|---|---:|");
        foreach (var (kind, count) in record.Completed.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
            Line($"| {kind} | {count} |");
        Line($"");
        Line($"Large requests and answers have {LoadApplication.LargeBytes / 1_000_000} MB. \"aborted\" are requests that the client");
        Line($"ended before the answer.");
        Line($"");
        Line($"| Disturbance | Times |");
        Line($"|---|---:|");
        foreach (var (kind, count) in record.Disturbances.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
            Line($"| {kind} | {count} |");
        Line($"");
        Line($"| Result | |");
        Line($"|---|---:|");
        Line($"| Answers with the name of another user | {record.Mixed.Count} |");
        Line($"| Requests lost while the application was stopped | {record.FindInterrupted().Count} |");
        Line($"| Other requests lost | {record.FindLost().Count} |");
        Line($"");
        Line($"| Process | Early | Late | After the load |");
        Line($"|---|---:|---:|---:|");
        const int Megabyte = 1_000_000;
        var (early, late, end) = (summary.EarlyMemory / Megabyte, summary.LateMemory / Megabyte, summary.End.ResidentBytes / Megabyte);
        Line($"| Resident memory (MB) | {early} | {late} | {end} |");
        Line($"| Handles | {summary.EarlyHandles} | {summary.LateHandles} | {summary.End.Handles} |");
        Line($"| Sockets | {summary.EarlySockets} | {summary.LateSockets} | {summary.End.Sockets} |");
        Line($"");
        Line($"\"Early\" is the median of the second quarter of the load, \"late\" that of the last one.");
        return text.ToString();
    }
}

/// <summary>The memory and the handles early and late in a load, and after it.</summary>
internal sealed record LoadSummary(
    long EarlyMemory, long LateMemory, long EarlyHandles, long LateHandles, long EarlySockets, long LateSockets, ProcessSample End)
{
    public static LoadSummary Create(IReadOnlyList<ProcessSample> samples, ProcessSample end)
    {
        long Median(int quarter, Func<ProcessSample, long> value) =>
            samples.Skip(samples.Count * quarter / 4).Take(Math.Max(1, samples.Count / 4)).Select(value).Order().ToArray() is var sorted
                ? sorted[sorted.Length / 2] : 0;
        return new LoadSummary(
            Median(1, static sample => sample.ResidentBytes), Median(3, static sample => sample.ResidentBytes),
            Median(1, static sample => sample.Handles), Median(3, static sample => sample.Handles),
            Median(1, static sample => sample.Sockets), Median(3, static sample => sample.Sockets), end);
    }
}
