using KcdDelegation.Kerberos.Binary;
using KcdDelegation.Kerberos.Files;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>The files of an account that changes its own password: the current password, and next to it the pending one (<c>.next</c>), the
/// old ones (<c>.old</c>) and the lock of the process that changes them (<c>.lock</c>).</summary>
/// <remarks>Only the process that holds the lock writes. Every file is replaced in one step, with mode 0600, and is on the disk before the
/// next step begins. A reader therefore sees one of the states between two steps.</remarks>
internal sealed class PasswordRollFiles(string path)
{
    // The results of a lock that another process holds: EWOULDBLOCK, and ERROR_SHARING_VIOLATION of Windows.
    private const int AgainOnLinux = 11;
    private const int AgainOnMac = 35;
    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly string _directory = Path.GetDirectoryName(Path.GetFullPath(path)) ?? throw new ArgumentException(
        "The path is a directory and not a file.", nameof(path));

    /// <summary>Gets the path of the current password.</summary>
    public string CurrentPath { get; } = Path.GetFullPath(path);

    /// <summary>Gets the path of the password that the KDC is told next, or may already have been told.</summary>
    public string PendingPath => CurrentPath + ".next";

    public string OldPath => CurrentPath + ".old";

    /// <summary>Gets whether the current password is behind a link, as a mounted secret is. A rename would replace the link only.</summary>
    public bool IsLink => new FileInfo(CurrentPath).LinkTarget is not null;

    private string LockPath => CurrentPath + ".lock";

    /// <summary>Gets the time at which the current password was written.</summary>
    public DateTimeOffset ChangedAt => new(File.GetLastWriteTimeUtc(CurrentPath), TimeSpan.Zero);

    /// <summary>Takes the lock. Returns null if another process or client holds it. The system releases it when its process ends.</summary>
    /// <exception cref="IOException">The lock file cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory cannot be written.</exception>
    public FileStream? Claim()
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            return new FileStream(LockPath, options);
        }
        catch (IOException held) when (held.HResult is AgainOnLinux or AgainOnMac or SharingViolation)
        {
            return null;
        }
    }

    /// <summary>Stores the pending password. Before the KDC is told.</summary>
    public async Task WritePendingAsync(Password pending, CancellationToken cancellationToken)
    {
        using var text = pending.ToUtf8();
        using var file = new BigEndianWriter();
        file.WriteBytes(text.Span);
        await ReplaceAsync(PendingPath, file.Written, cancellationToken).ConfigureAwait(false);
    }

    public async Task WriteOldAsync(IEnumerable<OldPassword> passwords, CancellationToken cancellationToken)
    {
        using var file = OldPassword.Encode(passwords);
        await ReplaceAsync(OldPath, file.Written, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes the pending password the current one.</summary>
    public void Promote()
    {
        File.Move(PendingPath, CurrentPath, overwrite: true);
        DirectoryFlush.FlushParent(CurrentPath);
    }

    /// <summary>Deletes a pending password that the KDC certainly does not have.</summary>
    public void DeletePending()
    {
        File.Delete(PendingPath);
        DirectoryFlush.FlushParent(CurrentPath);
    }

    /// <summary>Deletes files that a process left while it wrote them. No KDC was told their passwords.</summary>
    public void DeleteLeftovers()
    {
        var name = Path.GetFileName(CurrentPath);
        foreach (var kind in (string[])["next", "old"])
        {
            foreach (var file in Directory.EnumerateFiles(_directory, $".{name}.{kind}.*"))
                File.Delete(file);
        }
    }

    private static async Task ReplaceAsync(string target, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await PrivateFile.ReplaceAsync(target, content, cancellationToken).ConfigureAwait(false);
        DirectoryFlush.FlushParent(target);
    }
}
