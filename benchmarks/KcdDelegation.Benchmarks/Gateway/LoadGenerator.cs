using System.Diagnostics;
using System.Globalization;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>The load generator <c>wrk</c>, with 64 connections, on the processors that are not those of the gateway.</summary>
internal static class LoadGenerator
{
    private const int Connections = 64;

    /// <summary>Sends requests of users at random for a second.</summary>
    /// <param name="url">The address.</param>
    /// <param name="script">The script of <see cref="UserFiles"/>.</param>
    /// <param name="file">The file with a header field for each user.</param>
    /// <param name="first">The number of the first user.</param>
    /// <param name="count">The number of users.</param>
    /// <param name="seed">The start of the random sequence of users.</param>
    /// <returns>The line <c>RESULT</c> with the requests, the microseconds, the failed requests, and those with an error status.</returns>
    public static string Run(Uri url, string script, string file, int first, int count, int seed)
    {
        var threads = Math.Max(1, ProcessorSet.Others.Count / 2);
        using var process = Process.Start(new ProcessStartInfo("taskset",
        [
            "--cpu-list", ProcessorSet.Others.ToString(), "wrk", "-t", Text(threads), "-c", Text(Connections), "-d", "1s",
            "-s", script, url.AbsoluteUri, "--", file, Text(first), Text(count), Text(seed),
        ])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Split('\n').FirstOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"wrk failed: {output}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
