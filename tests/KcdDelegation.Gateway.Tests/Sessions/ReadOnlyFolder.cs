using System.Diagnostics;

namespace KcdDelegation.Gateway.Tests.Sessions;

/// <summary>A folder in which no file can be created, replaced or deleted until the end of a test.</summary>
/// <remarks>The rights of a folder do not bind root, and the tests of CI run as root. The attribute of the file system does.</remarks>
internal sealed class ReadOnlyFolder : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _path;

    public ReadOnlyFolder(string path)
    {
        _path = path;
        Change(isReadOnly: true);
    }

    public void Dispose() => Change(isReadOnly: false);

    private void Change(bool isReadOnly)
    {
        if (!OperatingSystem.IsWindows() && !Environment.IsPrivilegedProcess)
        {
            File.SetUnixFileMode(_path, isReadOnly ? Owner & ~UnixFileMode.UserWrite : Owner);
            return;
        }
        using var process = Process.Start("chattr", [isReadOnly ? "+i" : "-i", _path]);
        process.WaitForExit();
        process.ExitCode.ShouldBe(0);
    }
}
