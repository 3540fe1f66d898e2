using BenchmarkDotNet.Reports;
using KcdDelegation.Benchmarks.Report;

namespace KcdDelegation.Benchmarks.Headers;

/// <summary>The page and the plots about headers: interleaved times, and allocated bytes by BenchmarkDotNet.</summary>
internal static class HeaderPage
{
    private static readonly int[] Sizes = [1, 4, 12];

    // The compared cases, the goal of the ratio, and the ticket sizes (KB).
    private static readonly (string Name, string Baseline, string Goal, int[] Sizes)[] Ratios =
    [
        ("KcdDelegation, bytes", "Floor, bytes", "≤ 1.2 x", [1, 4, 12]),
        ("KcdDelegation, string", "Floor, string", "≤ 1.2 x", [1, 4, 12]),
        ("KcdDelegation on the platform's cryptography, bytes", "Plain BCL, bytes", "≤ 1.2 x", [1, 4, 12]),
        ("KcdDelegation on the platform's cryptography, string", "Plain BCL, string", "≤ 1.2 x", [1, 4, 12]),
        ("MIT GSSAPI, SPNEGO", "KcdDelegation, bytes", "≥ 50 x at 1 KB", [1, 4, 12]),
        ("MIT GSSAPI, SPNEGO", "KcdDelegation, string", "≥ 30 x at 1 KB", [1, 4, 12]),
        ("MIT GSSAPI, SPNEGO, type 20", "KcdDelegation, bytes, type 20", "≥ 35 x at 1 KB", [1, 4, 12]),
        ("MIT GSSAPI, krb5", "KcdDelegation, bytes, raw Kerberos", "", [1, 4, 12]),
        ("NegotiateAuthentication", "KcdDelegation, bytes", "", [1, 4, 12]),
    ];

    public static async Task WriteAsync(string results, int rounds, Summary? allocations)
    {
        var times = new List<IReadOnlyDictionary<string, Timing>>();
        IReadOnlyList<string> names = [];
        string floor = "";
        foreach (var size in Sizes)
        {
            await using var cases = HeaderCases.Create(size);
            names = [.. cases.All.Select(each => each.Name)];
            times.Add(Interleaved.Measure(cases.All, rounds));
            if (size == 1)
                floor = CompareWithOpenSsl(cases);
        }

        var file = new ResultFile(results, "headers", "One Authorization value from a cached ticket")
            .Text($"Tickets whose encrypted part has 1, 4 and 12 KB; type 18 and SPNEGO unless stated otherwise; sixteen users in turn. "
                + $"The cases alternate every 0.3 ms. Of {rounds:N0} rounds, the quarter with the least disturbance counts, determined "
                + "over all cases; the values are medians of these rounds and of their ratios. An acceptor validated the output of every "
                + "case in this run. MIT GSSAPI and NegotiateAuthentication: the token alone, without base64.");
        file.Table(["µs per header at", "1 KB", "4 KB", "12 KB"], names.Select(name => (IReadOnlyList<string>)[name,
            .. times.Select(each => each[name].Median.Microseconds())]));
        file.Table(["ratio", "1 KB", "4 KB", "12 KB", "goal"], Ratios.Select(ratio => (IReadOnlyList<string>)[
            $"{ratio.Name} / {ratio.Baseline}", .. times.Select(each => each[ratio.Name].RatioTo(each[ratio.Baseline]).Times()),
                ratio.Goal]));
        file.Text(floor);
        if (allocations is not null)
            file.Table(["managed bytes allocated per header", "1 KB", "4 KB", "12 KB"],
                Allocated(allocations))
                .Text("Measured by BenchmarkDotNet's MemoryDiagnoser; see headers-benchmarkdotnet.md. Native memory is not included.");

        file.Plot(Plot("headers-bytes", "One header into bytes", times, ["KcdDelegation, bytes", "Floor, bytes",
            "KcdDelegation, bytes, type 20", "KcdDelegation on the platform's cryptography, bytes", "Plain BCL, bytes", "MIT GSSAPI, krb5",
            "MIT GSSAPI, SPNEGO", "NegotiateAuthentication"], logarithmic: true));
        file.Plot(Plot("headers-string", "One header as a string", times, ["KcdDelegation, string", "Floor, string",
            "KcdDelegation on the platform's cryptography, string", "Plain BCL, string"], logarithmic: false));
        file.Write();
    }

    private static string CompareWithOpenSsl(HeaderCases cases)
    {
        var message = new byte[cases.TailLength];
        var cryptography = Interleaved.Measure([new Case("floor", () => cases.Floor.Encrypt(message))], 300)["floor"].Median;
        var (aes, hmac) = (OpenSslSpeed.Nanoseconds("-evp aes-256-cbc", 192), OpenSslSpeed.Nanoseconds("-hmac sha1", 179));
        return $"The floor's cryptography (AES-256-CBC-CTS over 12 blocks, HMAC-SHA1 over 179 bytes) takes {cryptography.Number(0)} ns; "
            + $"openssl speed in the same run {aes.Number(0)} ns for AES-256-CBC over 192 bytes and {hmac.Number(0)} ns for HMAC-SHA1 "
            + $"over 179: ratio {(cryptography / (aes + hmac)).Number()}. A ratio well above 1 would indicate a slow floor.";
    }

    private static IEnumerable<IReadOnlyList<string>> Allocated(Summary summary) =>
        from report in summary.Reports
        group report by report.BenchmarkCase.Descriptor.WorkloadMethod.Name into method
        select (IReadOnlyList<string>)
        [
            method.Key,
            .. from report in method
               orderby (int)report.BenchmarkCase.Parameters[nameof(HeaderBenchmarks.Kilobytes)]
               select ((double)(report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0)).Number(0),
        ];

    private static BarPlot Plot(string name, string title, List<IReadOnlyDictionary<string, Timing>> times, string[] cases,
        bool logarithmic)
    {
        var plot = new BarPlot(name, title, "µs, median") { Logarithmic = logarithmic };
        for (var i = 0; i < Sizes.Length; i++)
            plot.Add($"ticket of {Sizes[i]} KB", cases.Select(each => (each, times[i][each].Median / 1000, each.StartsWith("Kcd",
                StringComparison.Ordinal))));
        return plot;
    }
}
