using System.Runtime.CompilerServices;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Headers;

/// <summary>A cache of the templates of tickets in use. Look-ups take no lock. Thread-safe.</summary>
/// <remarks>A template takes four thirds of the memory of its ticket, so it is kept only from the ticket's second use on. It lives no
/// longer than its ticket. Above the byte limit, templates that were not used since the last pass are evicted first.</remarks>
/// <param name="maxBytes">The limit, which a client takes from its options; by default the one of tickets to which no options
/// apply.</param>
internal sealed class AuthorizationTemplateCache(long maxBytes = AuthorizationTemplateCache.DefaultMaxBytes)
{
    private const long DefaultMaxBytes = 64L << 20;

    private readonly ConditionalWeakTable<ServiceTicket, TicketTemplates> _tickets = [];
    private readonly Lock _lock = new();

    // The owner is weak, and the kind stands for the template, because both would keep the ticket alive.
    private readonly Queue<(WeakReference<TicketTemplates> Owner, AuthorizationKind Kind, int Size)> _kept = new();
    private long _maxBytes = maxBytes;
    private long _bytes;

    /// <summary>The number of bytes of the templates kept.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
                return _bytes;
        }
    }

    /// <summary>Gets the number of entries, including those of templates that were collected with their tickets.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _kept.Count;
        }
    }

    /// <summary>Changes the limit. A smaller one takes effect when the next template is kept.</summary>
    public void SetMaxBytes(long maxBytes)
    {
        lock (_lock)
            _maxBytes = maxBytes;
    }

    /// <summary>Gets the templates of a ticket.</summary>
    public TicketTemplates GetTemplates(ServiceTicket ticket) =>
        _tickets.TryGetValue(ticket, out var known) ? known : _tickets.GetOrAdd(ticket, new TicketTemplates(this, ticket));

    /// <summary>Keeps a template if its owner does not have one of its kind yet and it fits.</summary>
    public void Keep(TicketTemplates owner, AuthorizationTemplate template)
    {
        lock (_lock)
        {
            if (template.Size > _maxBytes || !owner.TryAdd(template))
                return;
            // At the limit the eviction finds them, and moving entries here would change whose turn it is.
            if (_bytes + template.Size <= _maxBytes)
                RemoveEnded();
            _kept.Enqueue((new WeakReference<TicketTemplates>(owner), template.Kind, template.Size));
            _bytes += template.Size;
            while (_bytes > _maxBytes)
                EvictOrRequeueOldest();
        }
    }

    /// <summary>Removes entries of templates that were collected with their tickets. It looks at two entries for each one that is added, so
    /// that they do not accumulate.</summary>
    private void RemoveEnded()
    {
        const int EntriesPerCall = 2;
        for (var number = 0; number < EntriesPerCall && _kept.TryDequeue(out var oldest); number++)
        {
            if (oldest.Owner.TryGetTarget(out _))
                _kept.Enqueue(oldest);
            else
                _bytes -= oldest.Size;
        }
    }

    /// <summary>Evicts the oldest template, or requeues it if it was used since the last pass (second chance). Requeuing clears the mark,
    /// so a pass ends.</summary>
    private void EvictOrRequeueOldest()
    {
        var oldest = _kept.Dequeue();
        if (oldest.Owner.TryGetTarget(out var owner) && owner.TestAndClearMark(oldest.Kind))
        {
            _kept.Enqueue(oldest);
            return;
        }
        owner?.Remove(oldest.Kind);
        _bytes -= oldest.Size;
    }
}
