using System.Runtime.CompilerServices;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Headers;

/// <summary>Keeps the templates of tickets in use. A template lives no longer than its ticket, is kept from the ticket's second use on (it
/// takes as much memory as the ticket again), and all together stay below a number of bytes: beyond it, those that were not used since the
/// last round go first. Finding one takes no lock. Thread-safe.</summary>
internal sealed class AuthorizationTemplateCache(long maxBytes = AuthorizationTemplateCache.DefaultMaxBytes)
{
    private const long DefaultMaxBytes = 64L << 20;

    private readonly ConditionalWeakTable<ServiceTicket, TicketTemplates> _tickets = [];
    private readonly Lock _gate = new();

    // Weak, and with the kind instead of the template: a template keeps its ticket alive.
    private readonly Queue<(WeakReference<TicketTemplates> Owner, AuthorizationKind Kind, int Size)> _kept = new();
    private long _bytes;

    /// <summary>Bytes of what is kept.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
                return _bytes;
        }
    }

    public AuthorizationTemplate Get(ServiceTicket ticket, AuthorizationKind kind)
    {
        var templates = _tickets.GetOrAdd(ticket, static _ => new TicketTemplates());
        if (templates.Find(kind) is { } kept)
            return kept;
        var template = new AuthorizationTemplate(ticket, kind);
        if (!templates.IsFirstUse())
            Keep(templates, template);
        return template;
    }

    private void Keep(TicketTemplates templates, AuthorizationTemplate template)
    {
        lock (_gate)
        {
            if (template.Size > maxBytes || !templates.TryAdd(template))
                return;
            _kept.Enqueue((new WeakReference<TicketTemplates>(templates), template.Kind, template.Size));
            _bytes += template.Size;
            while (_bytes > maxBytes)
                DropOrSpareOldest();
        }
    }

    /// <summary>Second chance: each round takes the marks away, so that this ends.</summary>
    private void DropOrSpareOldest()
    {
        var oldest = _kept.Dequeue();
        if (oldest.Owner.TryGetTarget(out var owner) && owner.TakeMark(oldest.Kind))
        {
            _kept.Enqueue(oldest);
            return;
        }
        owner?.Remove(oldest.Kind);
        _bytes -= oldest.Size;
    }
}

/// <summary>The templates of one ticket. Read without a lock; changed under the cache's.</summary>
internal sealed class TicketTemplates
{
    /// <summary>Two formats, with and without mutual authentication, and the certificates that a backend changes between in a ticket's life.</summary>
    private const int MaxKinds = 8;

    private volatile Entry[] _entries = [];
    private int _used;

    public bool IsFirstUse() => Interlocked.Exchange(ref _used, 1) == 0;

    public AuthorizationTemplate? Find(AuthorizationKind kind)
    {
        foreach (var entry in _entries)
        {
            if (entry.Template.Kind != kind)
                continue;
            // Written only when it changes, so that a hot ticket's cache line stays shared.
            if (!entry.Marked)
                entry.Marked = true;
            return entry.Template;
        }
        return null;
    }

    public bool TryAdd(AuthorizationTemplate template)
    {
        if (_entries.Length >= MaxKinds || _entries.Any(entry => entry.Template.Kind == template.Kind))
            return false;
        _entries = [.. _entries, new Entry(template)];
        return true;
    }

    public bool TakeMark(AuthorizationKind kind)
    {
        foreach (var entry in _entries)
        {
            if (entry.Template.Kind != kind)
                continue;
            var marked = entry.Marked;
            entry.Marked = false;
            return marked;
        }
        return false;
    }

    public void Remove(AuthorizationKind kind) => _entries = [.. _entries.Where(entry => entry.Template.Kind != kind)];

    private sealed class Entry(AuthorizationTemplate template)
    {
        public AuthorizationTemplate Template { get; } = template;

        public volatile bool Marked;
    }
}
