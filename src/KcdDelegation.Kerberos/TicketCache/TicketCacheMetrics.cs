using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The instruments of the cache, in the meter <c>KcdDelegation.Kerberos</c>. Tags have the kind of ticket, never a user
/// name.</summary>
internal sealed class TicketCacheMetrics : IDisposable
{
    public const string Name = "KcdDelegation.Kerberos";

    /// <summary>The tag with the kind of ticket.</summary>
    public const string KindTag = "kcd.ticket.kind";

    public static readonly ActivitySource Activities = new(Name);

    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _hits;
    private readonly Counter<long> _misses;
    private readonly Counter<long> _waits;
    private readonly Counter<long> _exchanges;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _evictions;

    public TicketCacheMetrics(Func<int> entries, Func<long> bytes)
    {
        _hits = _meter.CreateCounter<long>("kcd.ticket_cache.hits", "{ticket}", "Tickets returned from the cache.");
        _misses = _meter.CreateCounter<long>("kcd.ticket_cache.misses", "{lookup}", "Look-ups that found no usable ticket.");
        _waits = _meter.CreateCounter<long>(
            "kcd.ticket_cache.waits", "{caller}", "Callers who waited for an exchange that another caller had started.");
        _exchanges = _meter.CreateCounter<long>("kcd.ticket_cache.exchanges", "{exchange}", "Exchanges started: misses and renewals.");
        _refusals = _meter.CreateCounter<long>("kcd.ticket_cache.refusals", "{refusal}", "Refusals by a KDC, remembered ones included.");
        _evictions = _meter.CreateCounter<long>("kcd.ticket_cache.evictions", "{ticket}", "Tickets evicted to stay within the bounds.");
        _meter.CreateObservableGauge("kcd.ticket_cache.entries", entries, "{ticket}", "Tickets in the cache.");
        _meter.CreateObservableGauge("kcd.ticket_cache.size", bytes, "By", "Bytes in the cache.");
    }

    public void Hit(TicketKind kind) => _hits.Add(1, Tag(kind));

    public void Miss(TicketKind kind) => _misses.Add(1, Tag(kind));

    public void Wait(TicketKind kind) => _waits.Add(1, Tag(kind));

    public void Exchange(TicketKind kind) => _exchanges.Add(1, Tag(kind));

    public void Refusal(TicketKind kind) => _refusals.Add(1, Tag(kind));

    public void Eviction(TicketKind kind) => _evictions.Add(1, Tag(kind));

    public void Dispose() => _meter.Dispose();

    /// <summary>Returns the value of <see cref="KindTag"/>.</summary>
    public static string GetName(TicketKind kind) => kind switch
    {
        TicketKind.Tgt => "tgt",
        TicketKind.Evidence => "evidence",
        TicketKind.Account => "account",
        _ => "service",
    };

    private static KeyValuePair<string, object?> Tag(TicketKind kind) => new(KindTag, GetName(kind));
}
