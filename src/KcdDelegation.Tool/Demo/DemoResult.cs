using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Demo;

/// <summary>What should have happened, and whether it did.</summary>
internal sealed record DemoResult : CommandResult
{
    public required IReadOnlyList<DemoCheck> Checks { get; init; }

    public override ExitCode ToExitCode() => Checks.Count > 0 && Checks.All(check => check.Happened) ? ExitCode.Done : ExitCode.Refused;

    public override void WriteText(OutputStream output)
    {
        output.Writer.WriteLine();
        output.Writer.WriteLine(ToExitCode() == ExitCode.Done
            ? $"All {Checks.Count} things happened as they should. With a real KDC: kcd ticket --help, kcd header --help."
            : "This did not go as it should: see above.");
    }
}

/// <param name="Expectation">A sentence.</param>
/// <param name="Happened">Whether it came true.</param>
internal sealed record DemoCheck(string Expectation, bool Happened);
