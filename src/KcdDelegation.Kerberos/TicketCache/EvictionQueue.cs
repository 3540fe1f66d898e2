namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The order of eviction when the cache is full: first in, first out with a second chance. Thread-safe.</summary>
/// <remarks>An entry that was used since its last turn is queued once more. Users who are active stay; a burst of new ones does not
/// displace them.</remarks>
internal sealed class EvictionQueue
{
    private readonly Lock _lock = new();
    private readonly Queue<TicketEntry> _entries = new();

    public void Add(TicketEntry entry)
    {
        lock (_lock)
            _entries.Enqueue(entry);
    }

    /// <summary>Returns the next entry to evict, or null. Removed entries are skipped.</summary>
    public TicketEntry? Next()
    {
        lock (_lock)
        {
            // Each entry is queued again at most once, so the loop ends while other threads use the entries.
            for (var turns = (2 * _entries.Count) + 1; turns > 0 && _entries.TryDequeue(out var entry); turns--)
            {
                if (entry.IsRemoved)
                    continue;
                if (!entry.IsUsed && entry.Pending is null)
                    return entry;
                entry.IsUsed = false;
                _entries.Enqueue(entry);
            }
            return null;
        }
    }

    /// <summary>Removes the entries that were removed from the cache otherwise, so that purges do not let the queue grow.</summary>
    public void Sweep()
    {
        lock (_lock)
        {
            for (var turns = _entries.Count; turns > 0; turns--)
            {
                var entry = _entries.Dequeue();
                if (!entry.IsRemoved)
                    _entries.Enqueue(entry);
            }
        }
    }
}
