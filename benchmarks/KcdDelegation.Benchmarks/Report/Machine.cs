using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Diagnostics;

namespace KcdDelegation.Benchmarks.Report;

/// <summary>The machine of the measurements.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var processor = Line("/proc/cpuinfo", "model name");
        var instructions = string.Join(", ", new (string Name, bool Has)[] { ("AES-NI", Aes.IsSupported), ("SHA-NI",
            Line("/proc/cpuinfo", "flags").Contains("sha_ni", StringComparison.Ordinal)), ("AVX-512",
            Avx512F.IsSupported) }.Where(each => each.Has).Select(each => each.Name));
        var processors = Environment.ProcessorCount == 1 ? "1 processor" : $"{Environment.ProcessorCount} processors";
        var load = File.ReadAllText("/proc/loadavg").Split(' ')[0];
        return $"""
            {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC · {processor} · {processors} ({instructions}) · {RuntimeInformation.OSDescription} · {RuntimeInformation.FrameworkDescription} · {Output("openssl", "version").Split('(')[0].Trim()} · MIT krb5 {Output("dpkg-query", "-W -f ${Version} libkrb5-3")} · load when this was written {load}
            """;
    }

    /// <summary>Returns the resident bytes of this process, including native memory.</summary>
    public static long ResidentBytes() => 1024 * long.Parse(Line("/proc/self/smaps_rollup", "Rss").Split(' ')[0],
        System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Returns the output of a program; empty if the program is not installed.</summary>
    public static string Output(string program, string arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true,
                RedirectStandardError = true, UseShellExecute = false })!;
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return output.Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "";
        }
    }

    private static string Line(string file, string key) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "";
}
