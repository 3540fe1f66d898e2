using System.Diagnostics;

namespace KcdDelegation.InteropTests;

/// <summary>The real KDCs and web servers of <c>tests/lab</c>. Their status is read once per test process.</summary>
internal static class Lab
{
    /// <summary>The collection of the tests that stop KDCs of mit-faults, and of the tests that need them running.</summary>
    public const string FaultyKdcs = "KDCs of mit-faults";

    /// <summary>Of every account of the lab that has a password.</summary>
    public const string Password = "Passw0rd!";

    // Null for a part that is up, else why it is not.
    private static readonly Lazy<IReadOnlyDictionary<string, string?>> s_status = new(AskStatus);

    /// <summary>The folder of the lab's state: the variable LAB_DIR, or the default of the scripts.</summary>
    public static string Directory { get; } =
        Environment.GetEnvironmentVariable("LAB_DIR") ?? Path.Combine(Path.GetTempPath(), "kcdlab");

    /// <summary>The folder of the lab's scripts in this checkout.</summary>
    public static string Scripts { get; } = FindScripts();

    private static bool IsRequired => Environment.GetEnvironmentVariable("KCD_REQUIRE_LAB") == "1";

    /// <summary>Skips the running test with the reason unless these parts of the lab are up. Fails it where KCD_REQUIRE_LAB is 1.</summary>
    /// <param name="parts">Names of scripts: mit, web, samba22...</param>
    public static void Require(params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
        {
            if (ReasonMissing(part) is not { } reason)
                continue;
            var message = $"{part} is not up: {reason}";
            if (IsRequired)
                Assert.Fail(message);
            Assert.Skip(message);
        }
    }

    /// <summary>Gets the reason why a part is not up, or null if it is up.</summary>
    public static string? ReasonMissing(string part) =>
        s_status.Value.TryGetValue(part, out var reason) ? reason : "tests/lab/all status does not name it";

    /// <summary>A file in the lab's state, such as <c>web/tls.pem</c>.</summary>
    public static string GetPath(string relative) => Path.Combine(Directory, relative);

    /// <summary>Calls a verb of a lab script, for example <c>mit</c> with <c>["kdc", "stop"]</c>, and returns its standard
    /// output.</summary>
    /// <exception cref="InvalidOperationException">The script failed; the message holds what it wrote.</exception>
    public static async Task<string> RunScriptAsync(string script, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Start(script, arguments);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0
                ? await output
                : throw new InvalidOperationException($"tests/lab/{script} {string.Join(' ', arguments)}: {await errors}{await output}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: false);
            throw;
        }
    }

    private static Process Start(string script, string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Scripts, script), arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LAB_DIR"] = Directory;
        return Process.Start(start) ?? throw new InvalidOperationException($"tests/lab/{script} did not start.");
    }

    private static Dictionary<string, string?> AskStatus()
    {
        if (Environment.GetEnvironmentVariable("KCD_NO_LAB") == "1")
            return LabRealm.AllParts.ToDictionary(part => part, _ => (string?)"the lab was left out (--no-lab)", StringComparer.Ordinal);
        if (!OperatingSystem.IsLinux())
            return LabRealm.AllParts.ToDictionary(part => part, _ => (string?)"the lab needs Debian or Ubuntu", StringComparer.Ordinal);

        // "NAME up" or "NAME down REASON", a line each
        using var process = Start("all", ["status"]);
        return process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', 3))
            .ToDictionary(words => words[0], words => words[1] == "up" ? null : words[^1], StringComparer.Ordinal);
    }

    private static string FindScripts()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var scripts = Path.Combine(folder.FullName, "tests", "lab");
            if (File.Exists(Path.Combine(scripts, "all")))
                return scripts;
        }
        throw new InvalidOperationException($"No tests/lab above {AppContext.BaseDirectory}.");
    }
}
