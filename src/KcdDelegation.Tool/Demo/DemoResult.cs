using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Demo;

/// <summary>The checks of the demo and their results.</summary>
internal sealed record DemoResult : CommandResult
{
    public required IReadOnlyList<DemoCheck> Checks { get; init; }

    public override ExitCode ToExitCode() => Checks.Count > 0 && Checks.All(check => check.Passed) ? ExitCode.Done : ExitCode.Refused;

    public override void WriteText(OutputStream output)
    {
        output.Writer.WriteLine();
        output.Writer.WriteLine(ToExitCode() == ExitCode.Done
            ? $"All {Checks.Count} checks passed. To use a real KDC, see: kcd ticket --help, kcd header --help."
            : "A check failed. See the line marked FAILED.");
    }
}

/// <param name="Expectation">The expected behavior, as a sentence.</param>
/// <param name="Passed">Whether the behavior was observed.</param>
internal sealed record DemoCheck(string Expectation, bool Passed);
