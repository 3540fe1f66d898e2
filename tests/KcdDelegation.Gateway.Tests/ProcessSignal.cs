using System.Diagnostics;

namespace KcdDelegation.Gateway.Tests;

/// <summary>Signals to programs that a test has started.</summary>
internal static class ProcessSignal
{
    /// <summary>Sends a signal, such as <c>TERM</c>.</summary>
    public static async Task SendAsync(Process program, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", FormattableString.Invariant($"{program.Id}")]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        kill.ExitCode.ShouldBe(0);
    }
}
