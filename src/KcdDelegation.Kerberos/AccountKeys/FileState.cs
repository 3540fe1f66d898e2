using Microsoft.Win32.SafeHandles;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>The properties of a file that show whether it was changed or replaced.</summary>
internal readonly record struct FileState(DateTime Written, DateTime Created, long Length)
{
    public static FileState Read(SafeFileHandle file) =>
        new(File.GetLastWriteTimeUtc(file), File.GetCreationTimeUtc(file), RandomAccess.GetLength(file));
}
