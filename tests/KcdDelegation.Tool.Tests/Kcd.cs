using System.Text;
using System.Text.Json;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

/// <summary>Runs the <c>kcd</c> command in this process.</summary>
internal static class Kcd
{
    public static Task<KcdRun> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    public static async Task<KcdRun> RunWithInputAsync(string input, params string[] arguments)
    {
        using var standardInput = new MemoryStream(Encoding.UTF8.GetBytes(input));
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var streams = new Streams(standardInput, new OutputStream(output, Width: null), new OutputStream(error, Width: null));
        var code = await KcdCommandLine.RunAsync(arguments, streams, TestContext.Current.CancellationToken);
        return new KcdRun((ExitCode)code, output.ToString(), error.ToString());
    }
}

internal sealed record KcdRun(ExitCode ExitCode, string Output, string Error)
{
    /// <summary>Gets the JSON object on standard output.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;
}
