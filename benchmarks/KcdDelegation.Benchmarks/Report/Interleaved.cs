using System.Diagnostics;

namespace KcdDelegation.Benchmarks.Report;

/// <summary>A case to measure.</summary>
internal sealed record Case(string Name, Action Run, Func<string>? Sample = null)
{
    /// <summary>Gets or sets the check of a sample.</summary>
    public Action<string>? Accept { get; set; }
}

/// <summary>The nanoseconds of one call in the counted rounds.</summary>
internal sealed class Timing(double[] rounds)
{
    public double Median { get; } = Interleaved.Quantile(rounds, 0.5);

    /// <summary>Returns the median of the rounds' ratios. Both cases ran within the same few milliseconds, under the same load.</summary>
    public double RatioTo(Timing baseline) => Interleaved.Quantile([.. rounds.Zip(baseline.Rounds, (time, other) => time / other)], 0.5);

    private double[] Rounds => rounds;
}

/// <summary>Measures several cases alternately, each for a few hundred microseconds, so that other load affects all of them
/// alike.</summary>
/// <remarks>The ratios are the result. On a shared machine, other load slows code with high utilization of the processor more than code
/// with stalls. Only the quarter of the rounds with the least disturbance counts, determined over all cases.</remarks>
internal static class Interleaved
{
    private static readonly TimeSpan Turn = TimeSpan.FromMicroseconds(300);

    /// <param name="cases">The cases in the order of the first round. The order rotates by one in each round.</param>
    /// <param name="rounds">The number of measurements of each case.</param>
    public static IReadOnlyDictionary<string, Timing> Measure(IReadOnlyList<Case> cases, int rounds)
    {
        var calls = cases.Select(Calibrate).ToArray();
        var times = cases.Select(_ => new double[rounds]).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < cases.Count; i++)
            {
                var at = (i + round) % cases.Count;
                times[at][round] = Time(cases[at], calls[at]) / calls[at];
            }
        }
        var medians = times.Select(each => Quantile(each, 0.5)).ToArray();
        var quiet = Enumerable.Range(0, rounds).OrderBy(round => times.Select((each, at) =>
            each[round] / medians[at]).Sum()).Take(Math.Max(1, rounds / 4)).ToArray();
        return cases.Select((each, at) => (each.Name, Timing: new Timing([.. quiet.Select(round =>
            times[at][round])]))).ToDictionary(pair => pair.Name, pair => pair.Timing, StringComparer.Ordinal);
    }

    public static double Quantile(double[] values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted[(int)(share * (sorted.Length - 1))];
    }

    /// <summary>Runs the case until the JIT compiler has finished, and returns the number of calls in one measurement.</summary>
    private static int Calibrate(Case each)
    {
        var until = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 2);
        var count = 0L;
        while (Stopwatch.GetTimestamp() < until)
        {
            each.Run();
            count++;
        }
        Thread.Sleep(150);
        var calls = 1;
        while (Time(each, calls) < Turn.TotalNanoseconds && calls < 1 << 20)
            calls *= 2;
        return calls;
    }

    /// <summary>Returns the nanoseconds of all calls together.</summary>
    private static double Time(Case each, int calls)
    {
        var run = each.Run;
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < calls; i++)
            run();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds;
    }
}
