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
    private readonly Lock _lock = new();

    // Weak, and with the kind instead of the template: a template keeps its ticket alive.
    private readonly Queue<(WeakReference<TicketTemplates> Owner, AuthorizationKind Kind, int Size)> _kept = new();
    private long _bytes;

    /// <summary>Bytes of what is kept.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
                return _bytes;
        }
    }

    /// <summary>The templates of a ticket, to be asked for as many values as are needed.</summary>
    public TicketTemplates GetTemplates(ServiceTicket ticket) =>
        _tickets.TryGetValue(ticket, out var known) ? known : _tickets.GetOrAdd(ticket, new TicketTemplates(this));

    /// <summary>Keeps a template that its owner does not have yet, if it fits.</summary>
    public void Keep(TicketTemplates owner, AuthorizationTemplate template)
    {
        lock (_lock)
        {
            if (template.Size > maxBytes || !owner.TryAdd(template))
                return;
            _kept.Enqueue((new WeakReference<TicketTemplates>(owner), template.Kind, template.Size));
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
