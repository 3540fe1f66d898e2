using System.Runtime.InteropServices;
using System.Text;

namespace KcdDelegation.Kerberos.Files;

/// <summary>The flush of a directory to the disk. A renamed file is certain to survive a power failure only after it.</summary>
internal static partial class DirectoryFlush
{
    /// <summary>Flushes the directory that contains the file. Windows has no such operation and needs none.</summary>
    /// <exception cref="IOException">The directory cannot be flushed.</exception>
    public static void FlushParent(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        var directory = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        // The class library opens no directories. O_RDONLY is 0 on every system.
        var descriptor = Open([.. Encoding.UTF8.GetBytes(directory), 0], 0);
        if (descriptor < 0)
            throw new IOException($"{directory} cannot be opened to be flushed (error {Marshal.GetLastPInvokeError()}).");
        var result = Flush(descriptor);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        // EINVAL (22): the file system of the directory does not support it.
        if (result != 0 && error != 22)
            throw new IOException($"{directory} cannot be flushed to the disk (error {error}).");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(byte[] path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
