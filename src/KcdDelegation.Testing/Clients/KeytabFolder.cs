using KcdDelegation.Kerberos.Files;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Exchanges;

namespace KcdDelegation.Testing.Clients;

/// <summary>A temporary directory, readable by its owner only, with the keytabs that a realm writes for settings. Thread-safe.</summary>
internal sealed class KeytabFolder : IDisposable
{
    private readonly Lock _lock = new();
    private DirectoryInfo? _folder;

    /// <summary>Writes the newest keys of an account and returns the path of the file. Each call creates a new file.</summary>
    public string Write(RealmState realm, DirectoryEntry account)
    {
        using var bytes = KeytabWriter.Encode(AccountKeytab.CreateEntries(realm.Name, account, realm.Now));
        var path = Path.Combine(GetFolder(), $"{Path.GetRandomFileName()}.keytab");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        file.Write(bytes.Written.Span);
        return path;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _folder?.Delete(recursive: true);
            _folder = null;
        }
    }

    private string GetFolder()
    {
        lock (_lock)
            return (_folder ??= Directory.CreateTempSubdirectory("kcd-realm-")).FullName;
    }
}
