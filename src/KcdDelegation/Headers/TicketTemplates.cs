using KcdDelegation.Kerberos;

namespace KcdDelegation.Headers;

/// <summary>The templates of one ticket. Read without a lock; changed under that of the cache they belong to.</summary>
internal sealed class TicketTemplates(AuthorizationTemplateCache cache)
{
    /// <summary>Two formats, with and without mutual authentication, and the certificates that a backend changes between in a ticket's
    /// life.</summary>
    private const int MaxKinds = 8;

    private volatile Entry? _newest;
    private int _used;

    /// <exception cref="InvalidOperationException">The ticket was purged or has expired.</exception>
    public AuthorizationTemplate Get(ServiceTicket ticket, in AuthorizationKind kind)
    {
        if (Find(kind) is { } kept)
        {
            // Written only when it changes, so that a hot ticket's cache line stays shared.
            if (!kept.Marked)
                kept.Marked = true;
            return kept.Template;
        }
        var template = new AuthorizationTemplate(ticket, kind);
        if (Interlocked.Exchange(ref _used, 1) != 0)
            cache.Keep(this, template);
        return template;
    }

    /// <summary>False if there is one of that kind, or no place.</summary>
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

    /// <summary>Whether a template was used since this was last asked.</summary>
    public bool TakeMark(in AuthorizationKind kind)
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
