using System.Security.Cryptography;
using KcdDelegation.Kerberos.Files;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The files of sessions: one for each, in a directory that only the owner can enter. Thread-safe.</summary>
/// <remarks>The name of a file is the hash of the session's reference. The content is encrypted and authenticated by data protection for
/// this one name, so that the file of one session under the name of another is not accepted. The time of the last change is the time of the
/// session's last use.</remarks>
internal sealed class SessionFiles
{
    /// <summary>The largest accepted content. A session with three tokens of the largest accepted length has less.</summary>
    public const int MaxLength = 1 << 20;

    private const string Extension = ".session";
    private const string Purpose = "KcdDelegation.Gateway.Session";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _directory;
    private readonly IDataProtector _protector;

    /// <summary>Creates the directory, or restricts an existing one to its owner.</summary>
    /// <exception cref="IOException">The directory cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the directory is denied.</exception>
    public SessionFiles(string directory, IDataProtectionProvider protection)
    {
        (_directory, _protector) = (Path.GetFullPath(directory), protection.CreateProtector(Purpose));
        CreatePrivateDirectory(_directory);
    }

    /// <summary>Creates a directory that only the owner can enter, or restricts an existing one.</summary>
    public static void CreatePrivateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }
        Directory.CreateDirectory(path, OwnerOnly);
        if (File.GetUnixFileMode(path) != OwnerOnly)
            File.SetUnixFileMode(path, OwnerOnly);
    }

    /// <summary>Returns the hashes of all sessions.</summary>
    public IEnumerable<string> FindAll() =>
        Directory.EnumerateFiles(_directory, $"*{Extension}")
            .Select(static path => Path.GetFileNameWithoutExtension(path))
            .Where(static name => SessionReference.IsHash(name));

    /// <summary>Returns the version of a file; null if there is none.</summary>
    public FileVersion? FindVersion(string hash)
    {
        var file = new FileInfo(GetPath(hash));
        return file.Exists ? new FileVersion(file.LastWriteTimeUtc, file.Length) : null;
    }

    /// <summary>Reads a session; null if the file is not one of this gateway under this name.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public async Task<AuthenticationTicket?> ReadAsync(string hash, CancellationToken cancellationToken)
    {
        byte[] content;
        try
        {
            var file = new FileStream(GetPath(hash), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            await using (file)
            {
                if (file.Length > MaxLength)
                    return null;
                content = new byte[file.Length];
                await file.ReadExactlyAsync(content, cancellationToken);
            }
        }
        catch (Exception error) when (error is FileNotFoundException or EndOfStreamException)
        {
            return null;
        }
        try
        {
            return TicketSerializer.Default.Deserialize(_protector.CreateProtector(hash).Unprotect(content));
        }
        // The serializer reads what the protector has authenticated: another version of this program may have written it.
        catch (Exception error) when (error is CryptographicException or IOException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Writes a session, whose last use is now. A reader sees the old content or the new.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public async Task<FileVersion> WriteAsync(
        string hash, AuthenticationTicket ticket, DateTimeOffset lastUse, CancellationToken cancellationToken)
    {
        var content = _protector.CreateProtector(hash).Protect(TicketSerializer.Default.Serialize(ticket));
        if (content.Length > MaxLength)
            throw new IOException($"The session has {content.Length} bytes, more than the limit of {MaxLength}.");
        var path = GetPath(hash);
        await PrivateFile.ReplaceAsync(path, content, cancellationToken);
        File.SetLastWriteTimeUtc(path, lastUse.UtcDateTime);
        return FindVersion(hash) ?? new FileVersion(lastUse.UtcDateTime, content.Length);
    }

    /// <summary>Records the last use of a session. Returns the new version; null if the file is gone.</summary>
    public FileVersion? Touch(string hash, DateTimeOffset lastUse)
    {
        try
        {
            File.SetLastWriteTimeUtc(GetPath(hash), lastUse.UtcDateTime);
            return FindVersion(hash);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return FindVersion(hash);
        }
    }

    /// <summary>Deletes a session. It is no error if there is none.</summary>
    public void Delete(string hash) => File.Delete(GetPath(hash));

    /// <summary>Deletes what a process that ended while it wrote has left.</summary>
    /// <param name="before">The time of the last change before which a file is deleted.</param>
    public void DeleteUnfinished(DateTimeOffset before)
    {
        foreach (var path in Directory.EnumerateFiles(_directory, $".*{Extension}.*"))
        {
            if (File.GetLastWriteTimeUtc(path) < before.UtcDateTime)
                File.Delete(path);
        }
    }

    private string GetPath(string hash) => Path.Combine(_directory, hash + Extension);
}

/// <summary>The version of a file. A file that was replaced or touched has another one.</summary>
/// <param name="LastWrite">The time of the last change, in UTC.</param>
/// <param name="Length">The number of bytes.</param>
internal readonly record struct FileVersion(DateTime LastWrite, long Length);
