using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Gateway.Sessions;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>Values that are accepted once, such as the <c>jti</c> of a logout token. They are remembered until they end. Bounded.
/// Thread-safe.</summary>
/// <remarks>With a directory, each value has an empty file there, whose name is its hash and whose time is its end. The values therefore
/// survive a restart, and another process that uses the directory does not accept them either.</remarks>
internal sealed class OneTimeValues
{
    /// <summary>The largest number of values. Above it, the one that ends first is forgotten.</summary>
    public const int Capacity = 100_000;

    /// <summary>The longest time for which a value is remembered. File systems cannot represent every time.</summary>
    private static readonly TimeSpan MaxLife = TimeSpan.FromDays(366);

    private readonly Lock _lock = new();
    private readonly TimeProvider _timeProvider;
    private readonly string? _directory;
    private readonly HashSet<string> _values = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, DateTimeOffset> _ends = new();

    /// <summary>Creates the values.</summary>
    /// <param name="timeProvider">The time source.</param>
    /// <param name="directory">The directory of their files; null: they are kept in memory only.</param>
    /// <exception cref="IOException">The directory cannot be created or read.</exception>
    public OneTimeValues(TimeProvider timeProvider, string? directory = null)
    {
        (_timeProvider, _directory) = (timeProvider, directory);
        if (directory is null)
            return;
        SessionFiles.CreatePrivateDirectory(directory);
        foreach (var file in new DirectoryInfo(directory).EnumerateFiles())
        {
            if (SessionReference.IsHash(file.Name))
                Add(file.Name, new DateTimeOffset(file.LastWriteTimeUtc));
        }
        RemoveEnded();
    }

    /// <summary>Uses a value. Returns false if it was used before.</summary>
    /// <param name="value">The value.</param>
    /// <param name="end">The time after which the value is not accepted for another reason.</param>
    /// <exception cref="IOException">The value cannot be stored. This process remembers it.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory cannot be written to. This process remembers the value.</exception>
    public bool TryUse(string value, DateTimeOffset end)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(value)));
        lock (_lock)
        {
            var latest = _timeProvider.GetUtcNow() + MaxLife;
            if (!Add(name, end < latest ? end : latest))
                return false;
            RemoveEnded();
            return _directory is null || TryStore(Path.Combine(_directory, name), end < latest ? end : latest);
        }
    }

    private bool Add(string name, DateTimeOffset end)
    {
        if (!_values.Add(name))
            return false;
        _ends.Enqueue(name, end);
        return true;
    }

    private void RemoveEnded()
    {
        var now = _timeProvider.GetUtcNow();
        while (_ends.TryPeek(out var first, out var end) && (end <= now || _ends.Count > Capacity))
        {
            _ends.Dequeue();
            _values.Remove(first);
            if (_directory is not null)
                File.Delete(Path.Combine(_directory, first));
        }
    }

    /// <summary>Creates the file of a value. Returns false if another process has created it.</summary>
    private static bool TryStore(string path, DateTimeOffset end)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            new FileStream(path, options).Dispose();
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
        File.SetLastWriteTimeUtc(path, end.UtcDateTime);
        return true;
    }
}
