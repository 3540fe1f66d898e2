using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Files;

/// <summary>Files that only their owner may read, replaced in one step: a reader sees the old content or the new, never a part.</summary>
internal static class PrivateFile
{
    /// <summary>Writes a new file beside the old one (mode 0600) and renames it over it. A link at <paramref name="path"/> is replaced
    /// itself, not what it points to: in a directory that others may write to, following it would write where they say.</summary>
    /// <exception cref="IOException">The file cannot be written; the old one is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    public static async Task ReplaceAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var target = Path.GetFullPath(path);
        var name = $".{Path.GetFileName(target)}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        var temporary = Path.Combine(Path.GetDirectoryName(target) ?? throw new IOException($"{path} is not a file."), name);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            var file = new FileStream(temporary, options);
            await using (file.ConfigureAwait(false))
            {
                await file.WriteAsync(content, cancellationToken).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
