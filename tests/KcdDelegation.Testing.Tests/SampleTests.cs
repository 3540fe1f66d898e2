using System.Diagnostics;

namespace KcdDelegation.Testing.Tests;

/// <summary>Runs the programs of samples/ with the commands of their README and compares their output with what the README shows.</summary>
public sealed class SampleTests
{
    [Theory]
    [InlineData("Console")]
    [InlineData("MinimalApi")]
    public async Task A_sample_runs_with_one_command_and_prints_what_its_README_shows(string sample)
    {
        var folder = Path.Combine(FindRoot(), "samples", sample);
        var readme = await File.ReadAllTextAsync(Path.Combine(folder, "README.md"), TestContext.Current.CancellationToken);
        readme.ShouldContain($"dotnet run --project samples/{sample}");
        var expected = readme.Split("Output:\n\n```\n")[1].Split("```")[0];

        (await RunAsync(folder)).ShouldBe(expected);
    }

    private static async Task<string> RunAsync(string folder)
    {
        // The configuration of this test: bin/CONFIGURATION/FRAMEWORK/.
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        using var process = Process.Start(new ProcessStartInfo("dotnet",
            ["run", "--no-build", "--configuration", configuration, "--project", folder])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        }).ShouldNotBeNull();
        var cancel = TestContext.Current.CancellationToken;
        var errors = process.StandardError.ReadToEndAsync(cancel);
        var output = await process.StandardOutput.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        process.ExitCode.ShouldBe(0, await errors);
        return output.ReplaceLineEndings("\n");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KcdDelegation.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"There is no KcdDelegation.sln above {AppContext.BaseDirectory}.");
    }
}
