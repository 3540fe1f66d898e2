using System.Globalization;
using System.Runtime.InteropServices;

namespace KcdDelegation.RollingProcess;

/// <summary>The memory of this process.</summary>
internal static class ProcessMemory
{
    private const int Chunk = 1 << 20;

    /// <summary>The end of a chunk that is read again with the next one, longer than a pattern.</summary>
    private const int Overlap = 256;

    /// <summary>Returns the region that contains a secret, or null.</summary>
    public static unsafe string? Find(SecretPatterns patterns)
    {
        using var memory = File.OpenHandle("/proc/self/mem", options: FileOptions.None);
        var start = (byte*)NativeMemory.AllocZeroed(Chunk);
        var buffer = new Span<byte>(start, Chunk);
        try
        {
            foreach (var line in File.ReadAllLines("/proc/self/maps"))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                var range = words[0].Split('-').Select(text => long.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture))
                    .ToArray();
                // Memory that was written is writable. The buffer of this method would show what it has just read.
                if (!words[1].StartsWith("rw", StringComparison.Ordinal) || ((long)start >= range[0] && (long)start < range[1]))
                    continue;
                for (var at = range[0]; at < range[1]; at += Chunk - Overlap)
                {
                    var length = (int)Math.Min(Chunk, range[1] - at);
                    if (Read(memory, buffer[..length], at) is var read and > 0 && patterns.IsIn(buffer[..read]))
                        return $"a password is in memory at {line}";
                }
            }
            return null;
        }
        finally
        {
            NativeMemory.Free(start);
        }
    }

    private static int Read(Microsoft.Win32.SafeHandles.SafeFileHandle memory, Span<byte> buffer, long at)
    {
        try
        {
            return RandomAccess.Read(memory, buffer, at);
        }
        catch (IOException)
        {
            // A region of the kernel, such as [vvar], cannot be read.
            return 0;
        }
    }
}
