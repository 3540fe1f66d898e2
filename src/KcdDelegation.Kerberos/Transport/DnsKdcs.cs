using System.Collections.Concurrent;
using System.Net.Sockets;
using KcdDelegation.Kerberos.Names;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The KDCs that DNS names (RFC 4120 §7.2.3.2): <c>_kerberos._tcp.REALM</c> or, if there are none,
/// <c>_kerberos._udp.REALM</c>.</summary>
/// <remarks>DNS need not be trusted, since every KDC proves its identity with its keys.</remarks>
/// <param name="dns">The client.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
/// <param name="service">The name of the service before the protocol: <c>_kerberos</c>, or <c>_kpasswd</c> for password servers.</param>
internal sealed class DnsKdcs(DnsClient dns, TimeProvider time, ILogger logger, string service = "_kerberos") : IKdcLocator
{
    // Realms come from configuration and from referrals.
    private const int MaxRealms = 256;
    private const int MaxKdcs = 32;

    private static readonly TimeSpan MinLifetime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan EmptyAnswerLifetime = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, RealmEntry> _realms = new(StringComparer.OrdinalIgnoreCase);

    public async ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken)
    {
        // Such a name has no SRV records, and it must not become a part of another name.
        if (!RealmName.IsValid(realm))
            return [];
        if (_realms.Count >= MaxRealms)
            _realms.Clear();
        var entry = _realms.GetOrAdd(realm, static _ => new RealmEntry());
        if (entry.Found is { } known && IsFresh(known))
            return known.Kdcs;

        await entry.Lock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Another request may have queried DNS while this one waited.
            if (entry.Found is not { } found || !IsFresh(found))
                entry.Found = await QueryAsync(realm, entry.Found, cancellationToken).ConfigureAwait(false);
            return entry.Found.Kdcs;
        }
        finally
        {
            entry.Lock.Release();
        }
    }

    private bool IsFresh(FoundKdcs found) => time.GetElapsedTime(found.QueriedAt) < found.Lifetime;

    /// <summary>Queries DNS. If DNS fails, the previous result stays in use.</summary>
    private async Task<FoundKdcs> QueryAsync(string realm, FoundKdcs? previous, CancellationToken cancellationToken)
    {
        try
        {
            var records = await dns.FindServicesAsync($"{service}._tcp.{realm.TrimEnd('.')}", cancellationToken).ConfigureAwait(false);
            var kdcs = ToEndpoints(records, KdcTransport.Tcp);
            if (kdcs.Count == 0)
            {
                records = await dns.FindServicesAsync($"{service}._udp.{realm.TrimEnd('.')}", cancellationToken).ConfigureAwait(false);
                kdcs = ToEndpoints(records, KdcTransport.Udp);
            }
            TransportLog.KdcsFoundInDns(logger, kdcs.Count, realm);
            var lifetime = kdcs.Count == 0 ? EmptyAnswerLifetime : TimeSpan.FromTicks(records.Min(record => record.TimeToLive.Ticks));
            return new FoundKdcs(kdcs, time.GetTimestamp(), Clamp(lifetime));
        }
        catch (Exception failure) when (failure is InvalidDataException or SocketException or IOException or TimeoutException)
        {
            var reason = failure is SocketException error ? KdcFailure.Describe(error) : failure.Message;
            if (previous is { Kdcs.Count: > 0 })
            {
                TransportLog.DnsFailed(logger, realm, reason);
                return previous with { QueriedAt = time.GetTimestamp(), Lifetime = MinLifetime };
            }
            throw new KerberosException(
                new KerberosFailure
                {
                    Exchange = KerberosExchange.KdcLookup,
                    Reason = KerberosFailureReason.KdcNotFound,
                    Realm = realm,
                    IsTransient = true,
                    Detail = $"no KDC of {realm} is configured, and DNS could not be asked for {service}._tcp.{realm}: " +
                        $"the name server {reason}",
                },
                failure);
        }
    }

    private static TimeSpan Clamp(TimeSpan lifetime) =>
        lifetime < MinLifetime ? MinLifetime : lifetime > MaxLifetime ? MaxLifetime : lifetime;

    private static List<KdcEndpoint> ToEndpoints(IReadOnlyList<SrvRecord> records, KdcTransport transport) =>
        // RFC 2782: "A Target of "." means that the service is decidedly not available at this domain".
        SrvRecord.Order(records.Where(static record => record.Port != 0 && Uri.CheckHostName(record.Target) == UriHostNameType.Dns))
            .Select(record => new KdcEndpoint(record.Target, record.Port, transport))
            .Distinct()
            .Take(MaxKdcs)
            .ToList();

    private sealed record FoundKdcs(IReadOnlyList<KdcEndpoint> Kdcs, long QueriedAt, TimeSpan Lifetime);

    private sealed class RealmEntry
    {
        private volatile FoundKdcs? _found;

        public SemaphoreSlim Lock { get; } = new(1, 1);

        public FoundKdcs? Found
        {
            get => _found;
            set => _found = value;
        }
    }
}
