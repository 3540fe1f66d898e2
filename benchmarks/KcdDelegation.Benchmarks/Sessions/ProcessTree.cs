using System.Globalization;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>A process and its children, as Linux sees them.</summary>
internal sealed class ProcessTree(int root)
{
    /// <summary>Returns the microseconds of processor time of all running threads, in user mode and in the kernel.</summary>
    public double ReadProcessorTime() => FindAll().Sum(static process => Directory.EnumerateDirectories($"/proc/{process}/task").Sum(ReadTask));

    /// <summary>Returns the resident bytes. Memory that several processes share counts once.</summary>
    public long ReadMemory() => FindAll().Sum(static process => 1024 * Parse(
        File.ReadLines($"/proc/{process}/smaps_rollup").First(static line => line.StartsWith("Pss:", StringComparison.Ordinal))["Pss:".Length..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]));

    private List<long> FindAll()
    {
        List<long> found = [root];
        for (var i = 0; i < found.Count; i++)
            found.AddRange(Read($"/proc/{found[i]}/task/{found[i]}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Parse));
        return found;
    }

    /// <summary>Reads the nanoseconds on a processor, the first number of <c>schedstat</c>. Those of <c>stat</c> are rounded to 10
    /// milliseconds.</summary>
    private static double ReadTask(string task) => Read($"{task}/schedstat") is { Length: > 0 } text ? Parse(text.Split(' ')[0]) / 1000.0 : 0;

    /// <summary>Reads a file; empty if the thread has ended meanwhile.</summary>
    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static long Parse(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
