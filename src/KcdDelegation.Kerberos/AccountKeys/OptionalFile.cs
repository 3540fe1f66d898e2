using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A file with secrets that exists at times only. Not thread-safe.</summary>
/// <param name="path">The file.</param>
/// <param name="parse">Throws <see cref="InvalidDataException"/> with a predicate of the file ("is empty").</param>
internal sealed class OptionalFile<T>(string path, Func<ReadOnlyMemory<byte>, T> parse)
    where T : class
{
    private const int MaxLength = 1 << 20;

    private FileState? _state;

    /// <summary>Gets the content, or null if there is no file.</summary>
    public T? Content { get; private set; }

    /// <summary>Reads the file again if it has changed. While it is unreadable, its last content stays in use.</summary>
    public void Refresh(ILogger logger)
    {
        // The usual case costs no exception.
        if (!File.Exists(path))
        {
            (Content, _state) = (null, null);
            return;
        }
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var state = FileState.Read(file);
            if (state == _state)
                return;
            if (state.Length > MaxLength)
                throw new InvalidDataException($"is larger than {MaxLength} bytes");
            var bytes = GC.AllocateUninitializedArray<byte>((int)state.Length, pinned: true);
            try
            {
                var read = 0;
                while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is var count and > 0)
                    read += count;
                Content = parse(bytes.AsMemory(0, read));
                _state = state;
            }
            finally
            {
                CryptographicOperations.ZeroMemory(bytes);
            }
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            (Content, _state) = (null, null);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            KeyFileLog.KeyFileKept(logger, path, failure.Message);
        }
    }
}
