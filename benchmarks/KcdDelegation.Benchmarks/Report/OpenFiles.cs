using System.Globalization;

namespace KcdDelegation.Benchmarks.Report;

/// <summary>The number of files, sockets included, that a process can have open.</summary>
internal static class OpenFiles
{
    /// <summary>Gets the limit of this process. The runtime has raised it to the largest value that is allowed.</summary>
    public static long Limit { get; } = Read();

    private static long Read()
    {
        // "Max open files            1048576              1048576              files"
        var line = File.ReadLines("/proc/self/limits").Single(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        var limit = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return limit == "unlimited" ? long.MaxValue : long.Parse(limit, CultureInfo.InvariantCulture);
    }
}
