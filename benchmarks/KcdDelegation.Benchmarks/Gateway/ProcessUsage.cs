using System.Globalization;
using System.Runtime;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>What a process has used since its start.</summary>
/// <param name="Microseconds">The processor time, in user mode and in the kernel.</param>
/// <param name="AllocatedBytes">The bytes of all objects that were created.</param>
/// <param name="WorkingSet">The resident memory at this time.</param>
/// <param name="CompiledMethods">The number of methods that the just-in-time compiler has compiled, each tier counted.</param>
internal sealed record ProcessUsage(double Microseconds, long AllocatedBytes, long WorkingSet, long CompiledMethods)
{
    /// <summary>The command that a process answers with its usage.</summary>
    public const string Command = "usage";

    /// <summary>Reads the usage of this process, as text.</summary>
    public static string Read() => string.Create(CultureInfo.InvariantCulture,
        $"{Environment.CpuUsage.TotalTime.TotalMicroseconds:0} {GC.GetTotalAllocatedBytes(precise: true)} {Environment.WorkingSet} "
            + $"{JitInfo.GetCompiledMethodCount()}");

    public static ProcessUsage Ask(ChildProcess process) => Parse(process.Ask(Command));

    /// <summary>Parses what <see cref="Read"/> returned in another process.</summary>
    public static ProcessUsage Parse(string text)
    {
        var parts = text.Split(' ');
        return new ProcessUsage(
            double.Parse(parts[0], CultureInfo.InvariantCulture),
            long.Parse(parts[1], CultureInfo.InvariantCulture),
            long.Parse(parts[2], CultureInfo.InvariantCulture),
            long.Parse(parts[3], CultureInfo.InvariantCulture));
    }
}
