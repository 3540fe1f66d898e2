using System.Text.RegularExpressions;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

/// <summary>The example in docs/trace.md against a real run. With KCD_WRITE_DOCS=1 the test writes it.</summary>
public sealed partial class TraceDocumentTests
{
    private const string Begin = "<!-- example: begin -->\n";
    private const string End = "<!-- example: end -->";

    [Fact]
    public async Task The_example_in_the_document_is_what_the_command_prints()
    {
        await using var gateway = await Gateway.StartAsync();
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var streams = new Streams(Stream.Null, new OutputStream(output, Width: 118), new OutputStream(error, Width: null));
        var cancellationToken = TestContext.Current.CancellationToken;

        var exitCode = await KcdCommandLine.RunAsync(
            ["trace", "--realm", gateway.Realm.Name, "--kdc", gateway.Realm.Endpoint.ToString(), "--account", "gw",
                "--keytab", gateway.Keytab, "--user", "ada", "--spn", "HTTP/other"],
            streams, cancellationToken);

        exitCode.ShouldBe((int)ExitCode.Refused, error.ToString());
        var example = $"```text\n{output.ToString().ReplaceLineEndings("\n")}```\n";
        var path = Path.Combine(FindRoot(), "docs", "trace.md");
        var page = (await File.ReadAllTextAsync(path, cancellationToken)).ReplaceLineEndings("\n");
        var begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var end = page.IndexOf(End, StringComparison.Ordinal);
        end.ShouldBeGreaterThan(begin - 1, "docs/trace.md has no example");
        if (Environment.GetEnvironmentVariable("KCD_WRITE_DOCS") == "1")
            await File.WriteAllTextAsync(path, $"{page[..begin]}{example}{page[end..]}", cancellationToken);
        else
            Normalize(page[begin..end]).ShouldBe(Normalize(example), "run the test with KCD_WRITE_DOCS=1");
    }

    /// <summary>Replaces what differs between two runs: times, sizes, the port and the SID. Lines are joined, because they are wrapped
    /// at other words.</summary>
    private static string Normalize(string text) => Space().Replace(Variable().Replace(text, "#"), " ").Trim();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KcdDelegation.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No KcdDelegation.sln above {AppContext.BaseDirectory}.");
    }

    [GeneratedRegex(@"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ|\d\d:\d\d:\d\d\.\d+|[+-]?\d+\.\d m?s\b|\d+ bytes|port \d+|S-1-5[0-9-]+",
        RegexOptions.NonBacktracking)]
    private static partial Regex Variable();

    [GeneratedRegex(@"\s+", RegexOptions.NonBacktracking)]
    private static partial Regex Space();
}
