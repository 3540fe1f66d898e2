using System.Collections.Concurrent;

namespace KcdDelegation.DirectoryServices.Accounts;

/// <summary>The accounts that were found, bounded in number. One search runs per key, however many callers wait. Thread-safe.</summary>
internal sealed class AccountCache(int maxEntries, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<DirectoryAccount>>> _running = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Gets an account and its age, or returns false.</summary>
    public bool TryGet(string key, out (DirectoryAccount Account, TimeSpan Age) found)
    {
        found = default;
        if (!_entries.TryGetValue(key, out var entry))
            return false;
        found = (entry.Account, time.GetElapsedTime(entry.At));
        return true;
    }

    /// <summary>Runs a search, or waits for the one that another caller runs, and keeps its result.</summary>
    public async Task<DirectoryAccount> FindAsync(string key, Func<Task<DirectoryAccount>> search, CancellationToken cancellationToken)
    {
        var running = _running.GetOrAdd(key, _ => new Lazy<Task<DirectoryAccount>>(() => RunAsync(key, search)));
        return await running.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes an account, after the directory has said that the caller may not be mapped to it.</summary>
    public void Remove(string key) => _entries.TryRemove(key, out _);

    private async Task<DirectoryAccount> RunAsync(string key, Func<Task<DirectoryAccount>> search)
    {
        // Not inside of GetOrAdd, so that the result is stored before the entry of the search is removed.
        await Task.Yield();
        try
        {
            var account = await search().ConfigureAwait(false);
            _entries[key] = new Entry(account, time.GetTimestamp());
            Shrink();
            return account;
        }
        finally
        {
            _running.TryRemove(key, out _);
        }
    }

    private void Shrink()
    {
        if (_entries.Count <= maxEntries)
            return;
        lock (_lock)
        {
            // A tenth at once, so that a full cache is not sorted for each new account.
            var excess = _entries.Count - maxEntries + (maxEntries / 10);
            foreach (var (key, _) in _entries.OrderBy(entry => entry.Value.At).Take(excess).ToList())
                _entries.TryRemove(key, out _);
        }
    }

    private sealed record Entry(DirectoryAccount Account, long At);
}
