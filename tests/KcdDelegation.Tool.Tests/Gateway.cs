using KcdDelegation.Testing;

namespace KcdDelegation.Tool.Tests;

/// <summary>A realm with one delegating account, its keytab in a temporary folder, and the options for both.</summary>
internal sealed class Gateway : IAsyncDisposable
{
    public const string Password = "correct horse";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kcd-tool-");

    private Gateway(TestRealm realm) => Realm = realm;

    public TestRealm Realm { get; }

    public string Keytab => GetPath("gw.keytab");

    public static async Task<Gateway> StartAsync()
    {
        var gateway = new Gateway(TestRealm.Start()
            .User("ada", userPrincipalName: "ada.lovelace@contoso.test")
            .User("chief", sensitive: true)
            .Account("gw", mayDelegateTo: ["HTTP/app"], password: Password)
            .Service("HTTP/app")
            .Service("HTTP/other"));
        await gateway.Realm.WriteKeytabAsync("gw", gateway.Keytab, TestContext.Current.CancellationToken);
        return gateway;
    }

    public string GetPath(string file) => Path.Combine(_folder.FullName, file);

    /// <summary>Runs a command with the options of the account, followed by the given arguments.</summary>
    public Task<KcdRun> RunAsync(string command, params string[] arguments) =>
        Kcd.RunAsync(
            [command, "--realm", Realm.Name, "--kdc", Realm.Endpoint.ToString(), "--account", "gw", "--keytab", Keytab, .. arguments]);

    /// <summary>Writes a file that only its owner can read.</summary>
    public string WriteSecret(string file, string content)
    {
        var path = GetPath(file);
        File.WriteAllText(path, content);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        await Realm.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
