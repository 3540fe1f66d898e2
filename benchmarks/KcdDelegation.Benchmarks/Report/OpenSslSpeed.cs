using System.Globalization;

namespace KcdDelegation.Benchmarks.Report;

/// <summary>The result of <c>openssl speed</c> in the same run, which would reveal a slow floor.</summary>
internal static class OpenSslSpeed
{
    /// <summary>Returns the nanoseconds of one operation; NaN if the program is not installed.</summary>
    /// <param name="algorithm">The algorithm, such as <c>-evp aes-256-cbc</c>.</param>
    /// <param name="bytes">The bytes of each operation.</param>
    public static double Nanoseconds(string algorithm, int bytes)
    {
        // The last line has the algorithm and thousands of bytes per second: "AES-256-CBC     123456.78k".
        var last = Machine.Output("openssl",
            $"speed -elapsed -seconds 1 -bytes {bytes} {algorithm}").Split('\n')[^1].TrimEnd().Split(' ')[^1];
        return double.TryParse(last.TrimEnd('k'), NumberStyles.Float, CultureInfo.InvariantCulture,
            out var thousands) ? bytes * 1e9 / (thousands * 1000) : double.NaN;
    }
}
