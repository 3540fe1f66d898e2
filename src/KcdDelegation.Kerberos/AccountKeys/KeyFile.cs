using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A file with secrets that may be replaced while the process runs. The last readable content stays in use while the file is
/// missing, truncated or unreadable. Thread-safe.</summary>
/// <param name="path">The file. Links are resolved at each read, so that a mounted secret can be swapped.</param>
/// <param name="account">The account whose keys the file holds, for errors.</param>
/// <param name="parse">Throws <see cref="InvalidDataException"/> with a predicate of the file ("is empty").</param>
internal sealed class KeyFile<T>(string path, string account, Func<ReadOnlyMemory<byte>, T> parse) : IDisposable
    where T : class, IDisposable
{
    private const int MaxLength = 4 << 20;

    private readonly Lock _lock = new();
    private volatile T? _content;
    private FileState _state;
    private byte[] _digest = [];
    private long _version;
    private bool _disposed;

    /// <summary>Gets a number that grows with each changed content. A new timestamp alone does not count.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>Gets the content that was read last. Reads the file if that has not happened yet.</summary>
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

    /// <exception cref="KerberosException">The file cannot be read and has never been read.</exception>
    public void Refresh(ILogger logger)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            try
            {
                using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                var state = FileState.Read(file);
                if (_content is not null && state == _state)
                    return;
                Read(file, state, logger);
            }
            catch (Exception failure) when (failure is
                IOException or UnauthorizedAccessException or InvalidDataException or NotSupportedException)
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

    private void Read(SafeFileHandle file, FileState state, ILogger logger)
    {
        if (state.Length is 0 or > MaxLength)
            throw new InvalidDataException(state.Length == 0 ? "is empty" : $"is larger than {MaxLength} bytes");
        var bytes = GC.AllocateUninitializedArray<byte>((int)state.Length, pinned: true);
        try
        {
            var read = 0;
            while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is var count and > 0)
                read += count;
            var digest = SHA256.HashData(bytes.AsSpan(0, read));
            if (_content is null || !digest.AsSpan().SequenceEqual(_digest))
            {
                // The previous content is not disposed: an exchange may be using its keys. They are zeroed once unreachable.
                _content = parse(bytes.AsMemory(0, read));
                _digest = digest;
                KeyFileLog.KeyFileRead(logger, path, account, Interlocked.Increment(ref _version));
                WarnIfOpenToOthers(file, logger);
            }
            _state = state;
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
        // Read access of a group is the usual way for a service account to a file owned by root. Write access of a group is not.
        const UnixFileMode Open = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite;
        var mode = File.GetUnixFileMode(file);
        if ((mode & Open) != UnixFileMode.None)
            KeyFileLog.KeyFileOpenToOthers(logger, path, Convert.ToString((int)mode, 8));
    }

    private KerberosException Unreadable(Exception failure)
    {
        var reason = failure switch
        {
            InvalidDataException => $"{path} {failure.Message}",
            FileNotFoundException or DirectoryNotFoundException => $"{path} does not exist",
            UnauthorizedAccessException => $"{path} may not be read by this process; give its user read access to the file",
            NotSupportedException => $"{path} cannot be read repeatedly, such as a pipe; use a regular file",
            _ => $"{path} cannot be read: {failure.Message}",
        };
        return new KerberosException(
            new KerberosFailure
            {
                Exchange = KerberosExchange.Configuration,
                Reason = KerberosFailureReason.KeyUnavailable,
                Account = account,
                Detail = reason,
            },
            failure);
    }
}
