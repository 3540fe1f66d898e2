using System.Diagnostics;

namespace KcdDelegation.Gateway.Tests.Deployment;

/// <summary>The self-contained folder of <c>deploy/publish</c>, built once for the tests that run it elsewhere.</summary>
/// <remarks>The tests need root on Debian, for namespaces of their own. They are skipped elsewhere, and fail where the lab is
/// required.</remarks>
[CollectionDefinition(Collection)]
public sealed class PublishedGateway : IAsyncLifetime, ICollectionFixture<PublishedGateway>
{
    /// <summary>The tests that share the folder.</summary>
    internal const string Collection = "published gateway";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kcd-deploy-");

    /// <summary>Gets the folder of the program.</summary>
    public string ProgramPath => Path.Combine(_folder.FullName, "program");

    /// <summary>Gets the folder of the image: its Containerfile and its files.</summary>
    public string ContainerPath => Path.Combine(_folder.FullName, "container");

    /// <summary>Gets a folder for files of the tests, which is deleted with the program.</summary>
    public string FolderPath => _folder.FullName;

    public async ValueTask InitializeAsync()
    {
        if (FindReasonToSkip() is null)
        {
            await RunAsync(Path.Combine(Repository.Root, "deploy", "publish"), [ProgramPath]);
            await RunAsync(Path.Combine(Repository.Root, "deploy", "container-root"), [ContainerPath], ("KCD_PUBLISHED", ProgramPath));
        }
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Skips the running test where it cannot run.</summary>
    internal static void Require()
    {
        if (FindReasonToSkip() is not { } reason)
            return;
        if (Environment.GetEnvironmentVariable("KCD_REQUIRE_LAB") == "1")
            Assert.Fail(reason);
        Assert.Skip(reason);
    }

    /// <summary>Runs a program to its end, and returns its output.</summary>
    internal static async Task<string> RunAsync(string program, string[] arguments, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, $"{program}: {await output}{await errors}");
        return await output;
    }

    /// <summary>Copies the settings of a gateway, its certificate and its keytab to the folder that will be
    /// <c>/etc/kcd-gateway</c>.</summary>
    internal static async Task CopySettingsAsync(TestGateway gateway, string target)
    {
        gateway.WriteSettings();
        var source = Path.GetDirectoryName(gateway.SettingsPath)!;
        Directory.CreateDirectory(target);
        foreach (var file in Directory.GetFiles(source))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
        var settings = await File.ReadAllTextAsync(gateway.SettingsPath, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(target, "gateway.json"), settings.Replace(source, "/etc/kcd-gateway", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
    }

    private static string? FindReasonToSkip()
    {
        if (Environment.GetEnvironmentVariable("KCD_NO_LAB") == "1")
            return "The lab was left out (--no-lab).";
        if (!OperatingSystem.IsLinux() || !File.Exists("/etc/debian_version"))
            return "Debian is needed.";
        return Environment.IsPrivilegedProcess ? null : "Root is needed, for a root folder and namespaces of the test.";
    }
}
