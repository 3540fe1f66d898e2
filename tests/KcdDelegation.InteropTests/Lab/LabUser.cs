using System.Diagnostics;

namespace KcdDelegation.InteropTests;

/// <summary>A user who logs on with MIT's own programs, as a browser would. The tokens are therefore made by other software than
/// this project.</summary>
internal static class LabUser
{
    /// <summary>A GSS krb5 token for the service, from the user's own forwardable ticket.</summary>
    public static async Task<byte[]> TokenAsync(
        LabRealm realm, string user, string service, bool forwardable, CancellationToken cancellationToken)
    {
        var cache = Path.Combine(Path.GetTempPath(), "kcd-user-" + Guid.NewGuid().ToString("N"));
        try
        {
            await RunAsync(realm, cache, "kinit", [forwardable ? "-f" : "-F", user], Lab.Password + "\n", cancellationToken);
            var token = await RunAsync(
                realm, cache, "/usr/bin/python3", [Path.Combine(Lab.Scripts, "gsstoken.py"), "krb5", $"{service}@{realm.Realm}"], "",
                cancellationToken);
            return Convert.FromBase64String(token.Trim());
        }
        finally
        {
            File.Delete(cache);
        }
    }

    private static async Task<string> RunAsync(
        LabRealm realm, string cache, string program, string[] arguments, string input, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
        start.Environment["KRB5_CONFIG"] = Lab.GetPath($"{realm.Part}/krb5.conf");
        start.Environment["KRB5CCNAME"] = "FILE:" + cache;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program}: {await errors}");
    }
}
