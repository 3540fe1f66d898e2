using System.Globalization;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>A process and its children, as Linux sees them.</summary>
internal sealed class ProcessTree(int root)
{
    /// <summary>Returns the microseconds of processor time since the start, in user mode and in the kernel, with a resolution of 10
    /// milliseconds.</summary>
    /// <remarks>The times of <c>schedstat</c> have a higher resolution, but those of threads that have ended are not in them.</remarks>
    public double ReadProcessorTime()
    {
        const double MicrosecondsPerTick = 10_000;
        return MicrosecondsPerTick * FindAll().Sum(static process =>
        {
            var text = Read($"/proc/{process}/stat");
            // The fields 14 and 15 of proc(5). The second one, the name in parentheses, can have spaces.
            var fields = Split(text[(text.LastIndexOf(')') + 1)..]);
            return fields.Length == 0 ? 0 : Parse(fields[11]) + Parse(fields[12]);
        });
    }

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

    /// <summary>Reads a file; empty if the process has ended meanwhile.</summary>
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
