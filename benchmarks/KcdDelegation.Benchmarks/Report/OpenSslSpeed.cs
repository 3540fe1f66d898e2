using System.Globalization;

namespace KcdDelegation.Benchmarks.Report;

/// <summary>What <c>openssl speed</c> says in the same run, so that a floor that was made slow would show.</summary>
internal static class OpenSslSpeed
{
    /// <summary>Nanoseconds of one operation over that many bytes; not a number if the program is not there.</summary>
    /// <param name="algorithm">Such as <c>-evp aes-256-cbc</c>.</param>
    /// <param name="bytes">Of each operation.</param>
    public static double Nanoseconds(string algorithm, int bytes)
    {
        // The last line is the algorithm and thousands of bytes a second: "AES-256-CBC     123456.78k".
        var last = Machine.Output("openssl", $"speed -elapsed -seconds 1 -bytes {bytes} {algorithm}").Split('\n')[^1].TrimEnd().Split(' ')[^1];
        return double.TryParse(last.TrimEnd('k'), NumberStyles.Float, CultureInfo.InvariantCulture, out var thousands) ? bytes * 1e9 / (thousands * 1000) : double.NaN;
    }
}
