using System.Diagnostics;

namespace KcdDelegation.Benchmarks.Report;

/// <summary>One thing to be timed.</summary>
internal sealed record Case(string Name, Action Run, Func<string>? Sample = null)
{
    /// <summary>Checks a sample.</summary>
    public Action<string>? Accept { get; set; }
}

/// <summary>Nanoseconds of one call, in the rounds that count.</summary>
internal sealed class Timing(double[] rounds)
{
    public double Median { get; } = Interleaved.Quantile(rounds, 0.5);

    /// <summary>The median of the rounds' ratios: both had their turn within the same few milliseconds, whatever else the machine did.</summary>
    public double RatioTo(Timing baseline) => Interleaved.Quantile([.. rounds.Zip(baseline.Rounds, (time, other) => time / other)], 0.5);

    private double[] Rounds => rounds;
}

/// <summary>Times several cases in turns of a few hundred microseconds, so that whatever else the machine does meets all of them alike:
/// what matters are the ratios. Neighbours on a shared machine slow code that fills the processor more than code that waits for itself, so
/// the quarter of the rounds counts in which the machine was least disturbed, judged by all cases together.</summary>
internal static class Interleaved
{
    private static readonly TimeSpan Turn = TimeSpan.FromMicroseconds(300);

    /// <param name="cases">In the order of their first turn; it moves on by one each round.</param>
    /// <param name="rounds">Turns of each case.</param>
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
        var quiet = Enumerable.Range(0, rounds).OrderBy(round => times.Select((each, at) => each[round] / medians[at]).Sum()).Take(Math.Max(1, rounds / 4)).ToArray();
        return cases.Select((each, at) => (each.Name, Timing: new Timing([.. quiet.Select(round => times[at][round])]))).ToDictionary(pair => pair.Name, pair => pair.Timing, StringComparer.Ordinal);
    }

    public static double Quantile(double[] values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted[(int)(share * (sorted.Length - 1))];
    }

    /// <summary>Warms the case up until the compiler is done with it, and finds how many calls make a turn.</summary>
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

    /// <summary>Nanoseconds of all calls together.</summary>
    private static double Time(Case each, int calls)
    {
        var run = each.Run;
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < calls; i++)
            run();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds;
    }
}
