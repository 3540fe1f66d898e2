using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Files;

/// <summary>The replacement of files that only their owner may read. A reader sees the old content or the new, never a part.</summary>
internal static class PrivateFile
{
    /// <summary>Writes a new file next to the old one (mode 0600) and renames it over the old one.</summary>
    /// <remarks>A link at <paramref name="path"/> is itself replaced, not its target. In a directory that others can write to, following
    /// it would let them choose the target.</remarks>
    /// <exception cref="IOException">The file cannot be written. The old file is unchanged.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the directory is denied.</exception>
    public static async Task ReplaceAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var target = Path.GetFullPath(path);
        var name = $".{Path.GetFileName(target)}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        var temporary = Path.Combine(Path.GetDirectoryName(target) ?? throw new IOException($"{path} is a directory, not a file."), name);
        // Without a buffer, which would keep a copy of the secrets.
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0,
        };
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
