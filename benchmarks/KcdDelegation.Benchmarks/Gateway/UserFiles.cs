using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>The files of the load generator, in a temporary directory: its script, and one header field for each user.</summary>
internal sealed class UserFiles : IDisposable
{
    private UserFiles(string directory) => Directory = directory;

    public string Directory { get; }

    /// <summary>Gets the file with the names of the users.</summary>
    public string Names => Path.Combine(Directory, "names");

    /// <summary>Gets the file with a bearer token for each user.</summary>
    public string Tokens => Path.Combine(Directory, "tokens");

    /// <summary>Gets the script.</summary>
    public string Script => Path.Combine(Directory, "users.lua");

    public static UserFiles Create(TestIssuer issuer, int users)
    {
        var files = new UserFiles(System.IO.Directory.CreateTempSubdirectory("kcd-bench-").FullName);
        WriteScript(files.Script);
        var names = Enumerable.Range(0, users).Select(ProcessSettings.GetUser).ToArray();
        File.WriteAllLines(files.Names, names.Select(name => $"{ProcessSettings.UserField}: {name}"));
        File.WriteAllLines(files.Tokens, names.Select(name => $"Authorization: Bearer {CreateToken(issuer, name)}"));
        return files;
    }

    public static void WriteScript(string path)
    {
        using var script = typeof(UserFiles).Assembly.GetManifestResourceStream("users.lua")!;
        using var file = File.Create(path);
        script.CopyTo(file);
    }

    public static string CreateToken(TestIssuer issuer, string user) => issuer.CreateToken(
        $"{user}@contoso.test",
        new Dictionary<string, object?>(StringComparer.Ordinal) { [ProcessSettings.UserClaim] = user });

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
