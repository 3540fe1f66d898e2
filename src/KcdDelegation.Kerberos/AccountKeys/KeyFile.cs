using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A file with secrets that is replaced while the process runs. What was read last stays in use while the file is gone, cut off
/// or unreadable. Thread-safe.</summary>
/// <param name="path">The file; links are followed at each look, so that a mounted secret may be swapped.</param>
/// <param name="account">The account whose keys it holds, for errors.</param>
/// <param name="parse">Throws <see cref="InvalidDataException"/> with the end of a sentence that begins with the file's name.</param>
internal sealed class KeyFile<T>(string path, string account, Func<ReadOnlyMemory<byte>, T> parse) : IDisposable
    where T : class, IDisposable
{
    private const int MaxLength = 4 << 20;

    private readonly Lock _lock = new();
    private volatile T? _content;
    private Stamp _stamp;
    private byte[] _digest = [];
    private long _version;
    private bool _disposed;

    /// <summary>Grows with each content that differs from the one before; a mere touch does not count.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>What was read last; read now if that has not happened.</summary>
    /// <exception cref="KerberosException">Nothing could be read (<see cref="KerberosFailureReason.KeyUnavailable"/>).</exception>
    public T Content
    {
        get
        {
            if (_content is null)
                Refresh(NullLogger.Instance);
            return _content!;
        }
    }

    /// <exception cref="KerberosException">The file cannot be read, and never could.</exception>
    public void Refresh(ILogger logger)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            try
            {
                using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                var stamp = new Stamp(File.GetLastWriteTimeUtc(file), File.GetCreationTimeUtc(file), RandomAccess.GetLength(file));
                if (_content is not null && stamp == _stamp)
                    return;
                Read(file, stamp, logger);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException or NotSupportedException)
            {
                var error = Unreadable(failure);
                if (_content is null)
                    throw error;
                KeyFileLog.KeyFileKept(logger, path, error.Detail);
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _content?.Dispose();
            _content = null;
        }
    }

    private void Read(SafeFileHandle file, Stamp stamp, ILogger logger)
    {
        if (stamp.Length is 0 or > MaxLength)
            throw new InvalidDataException(stamp.Length == 0 ? "is empty" : $"is larger than {MaxLength} bytes");
        var bytes = GC.AllocateUninitializedArray<byte>((int)stamp.Length, pinned: true);
        try
        {
            var read = 0;
            while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is var count and > 0)
                read += count;
            var digest = SHA256.HashData(bytes.AsSpan(0, read));
            if (_content is null || !digest.AsSpan().SequenceEqual(_digest))
            {
                // The content before is not disposed: an exchange may be using its keys. They are zeroed when nobody can reach them.
                _content = parse(bytes.AsMemory(0, read));
                _digest = digest;
                KeyFileLog.KeyFileRead(logger, path, account, Interlocked.Increment(ref _version));
                WarnIfOpenToOthers(file, logger);
            }
            _stamp = stamp;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private void WarnIfOpenToOthers(SafeFileHandle file, ILogger logger)
    {
        if (OperatingSystem.IsWindows())
            return;
        // A group that may read is how a service account gets at a file of root's; a group that may write is not.
        const UnixFileMode Open = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite;
        var mode = File.GetUnixFileMode(file);
        if ((mode & Open) != UnixFileMode.None)
            KeyFileLog.KeyFileOpenToOthers(logger, path, Convert.ToString((int)mode, 8));
    }

    private KerberosException Unreadable(Exception failure)
    {
        var why = failure switch
        {
            InvalidDataException => $"{path} {failure.Message}",
            FileNotFoundException or DirectoryNotFoundException => $"{path} does not exist",
            UnauthorizedAccessException => $"{path} may not be read by this process: give its user read access to the file",
            NotSupportedException => $"{path} is not a file that can be read again, such as a pipe",
            _ => $"{path} cannot be read: {failure.Message}",
        };
        return new KerberosException(
            new KerberosFailure
            {
                Exchange = KerberosExchange.Configuration,
                Reason = KerberosFailureReason.KeyUnavailable,
                Account = account,
                Detail = why,
            },
            failure);
    }

    private readonly record struct Stamp(DateTime Written, DateTime Created, long Length);
}
