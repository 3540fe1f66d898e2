using System.Globalization;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>A process and its children, as Linux sees them.</summary>
internal sealed class ProcessTree(int root)
{
    /// <summary>Returns the microseconds of processor time of all running threads, in user mode and in the kernel.</summary>
    public double ReadProcessorTime() =>
        FindAll().SelectMany(static process => Directory.EnumerateDirectories($"/proc/{process}/task")).Sum(ReadThread);

    /// <summary>Returns the resident bytes. Memory that several processes share counts once.</summary>
    public long ReadMemory() => FindAll().Sum(static process =>
    {
        const string Key = "Pss:";
        var line = File.ReadLines($"/proc/{process}/smaps_rollup").First(static line => line.StartsWith(Key, StringComparison.Ordinal));
        return 1024 * Parse(Split(line[Key.Length..])[0]);
    });

    private List<long> FindAll()
    {
        List<long> found = [root];
        for (var i = 0; i < found.Count; i++)
            found.AddRange(Split(Read($"/proc/{found[i]}/task/{found[i]}/children")).Select(Parse));
        return found;
    }

    /// <summary>Reads the time on a processor, the first number of <c>schedstat</c>. The times of <c>stat</c> are rounded to 10
    /// milliseconds.</summary>
    private static double ReadThread(string folder) =>
        Split(Read($"{folder}/schedstat")) is [var nanoseconds, ..] ? Parse(nanoseconds) / 1000.0 : 0;

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

    private static string[] Split(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static long Parse(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
