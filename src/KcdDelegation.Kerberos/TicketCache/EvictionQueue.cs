namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>Which entry goes when the cache is full: second chance, that is first in first out, but an entry that was used since the
/// hand last passed goes round once more. Users of every minute stay, a scan of many new ones passes through. Thread-safe.</summary>
internal sealed class EvictionQueue
{
    private readonly Lock _gate = new();
    private readonly Queue<TicketEntry> _entries = new();

    public void Add(TicketEntry entry)
    {
        lock (_gate)
            _entries.Enqueue(entry);
    }

    /// <summary>The next to go, or null if there is none. What was removed otherwise is passed over.</summary>
    public TicketEntry? Next()
    {
        lock (_gate)
        {
            // Each entry gets at most one more round; the bound keeps one call from turning forever while others use what it passes.
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

    /// <summary>Drops what was removed otherwise, so that purges do not leave the queue growing.</summary>
    public void Sweep()
    {
        lock (_gate)
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
