using KcdDelegation.Kerberos;

namespace KcdDelegation.Headers;

/// <summary>The templates of one ticket. Reads take no lock; changes are made under the lock of the cache that owns it.</summary>
internal sealed class TicketTemplates(AuthorizationTemplateCache cache, ServiceTicket ticket)
{
    /// <summary>The limit on kinds: two formats, with and without mutual authentication, and a change of the backend's
    /// certificate.</summary>
    private const int MaxKinds = 8;

    private volatile Entry? _newest;
    private int _used;

    /// <summary>Gets the ticket, the key of the cache's weak table. A reference from the value does not keep a key alive.</summary>
    public ServiceTicket Ticket => ticket;

    /// <summary>Gets a template of a kind, and keeps it in the cache from the ticket's second use on.</summary>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired.</exception>
    public AuthorizationTemplate Get(in AuthorizationKind kind)
    {
        if (Find(kind) is { } kept)
        {
            // The mark is written only when it changes, so that the cache line of a frequently used ticket stays shared.
            if (!kept.Marked)
                kept.Marked = true;
            return kept.Template;
        }
        var template = new AuthorizationTemplate(ticket, kind);
        if (Interlocked.Exchange(ref _used, 1) != 0)
            cache.Keep(this, template);
        return template;
    }

    /// <summary>Adds a template. Returns false if there is one of its kind, or if the limit on kinds is reached.</summary>
    public bool TryAdd(AuthorizationTemplate template)
    {
        var count = 0;
        for (var entry = _newest; entry is not null; entry = entry.Older)
        {
            if (++count == MaxKinds || entry.Template.Kind.Equals(template.Kind))
                return false;
        }
        _newest = new Entry(template, _newest);
        return true;
    }

    /// <summary>Clears the mark of a template, and returns whether it was used since the mark was last cleared.</summary>
    public bool TestAndClearMark(in AuthorizationKind kind)
    {
        if (Find(kind) is not { } entry)
            return false;
        var marked = entry.Marked;
        entry.Marked = false;
        return marked;
    }

    public void Remove(in AuthorizationKind kind) => _newest = Without(kind, _newest);

    private Entry? Find(in AuthorizationKind kind)
    {
        var entry = _newest;
        while (entry is not null && !entry.Template.Kind.Equals(kind))
            entry = entry.Older;
        return entry;
    }

    private static Entry? Without(in AuthorizationKind kind, Entry? entry)
    {
        if (entry is null)
            return null;
        if (entry.Template.Kind.Equals(kind))
            return entry.Older;
        return new Entry(entry.Template, Without(kind, entry.Older)) { Marked = entry.Marked };
    }

    private sealed class Entry(AuthorizationTemplate template, Entry? older)
    {
        public AuthorizationTemplate Template { get; } = template;

        public Entry? Older { get; } = older;

        public volatile bool Marked;
    }
}
