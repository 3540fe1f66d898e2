using System.Collections.Concurrent;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>RFC 4120 §7.2.3.2: the KDCs that DNS names, <c>_kerberos._tcp.REALM</c> and, where there are none, <c>_kerberos._udp.REALM</c>.
/// DNS is not to be trusted and need not be: a KDC proves itself with its keys.</summary>
internal sealed class DnsKdcs(DnsClient dns, TimeProvider time, ILogger logger) : IKdcLocator
{
    // Realms come from configuration and referrals; a realm names many KDCs at most.
    private const int MaxRealms = 256;
    private const int MaxKdcs = 32;

    private static readonly TimeSpan ShortestLife = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestLife = TimeSpan.FromHours(1);
    private static readonly TimeSpan LifeOfNothing = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, RealmEntry> _realms = new(StringComparer.OrdinalIgnoreCase);

    public async ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken)
    {
        if (_realms.Count >= MaxRealms)
            _realms.Clear();
        var entry = _realms.GetOrAdd(realm, static _ => new RealmEntry());
        if (entry.Found is { } known && IsFresh(known))
            return known.Kdcs;

        await entry.Turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Somebody else may have asked while this one waited.
            if (entry.Found is not { } found || !IsFresh(found))
                entry.Found = await AskAsync(realm, entry.Found, cancellationToken).ConfigureAwait(false);
            return entry.Found.Kdcs;
        }
        finally
        {
            entry.Turn.Release();
        }
    }

    private bool IsFresh(FoundKdcs found) => time.GetElapsedTime(found.Asked) < found.Life;

    /// <param name="realm">The realm.</param>
    /// <param name="before">What was found last; where DNS fails it stays in use rather than nothing.</param>
    /// <param name="cancellationToken">The caller's.</param>
    private async Task<FoundKdcs> AskAsync(string realm, FoundKdcs? before, CancellationToken cancellationToken)
    {
        try
        {
            var records = await dns.FindServicesAsync($"_kerberos._tcp.{realm.TrimEnd('.')}", cancellationToken).ConfigureAwait(false);
            var kdcs = Endpoints(records, KdcTransport.Tcp);
            if (kdcs.Count == 0)
            {
                records = await dns.FindServicesAsync($"_kerberos._udp.{realm.TrimEnd('.')}", cancellationToken).ConfigureAwait(false);
                kdcs = Endpoints(records, KdcTransport.Udp);
            }
            TransportLog.KdcsFoundInDns(logger, kdcs.Count, realm);
            var life = kdcs.Count == 0 ? LifeOfNothing : TimeSpan.FromTicks(records.Min(record => record.TimeToLive.Ticks));
            return new FoundKdcs(kdcs, time.GetTimestamp(), Clamp(life));
        }
        catch (Exception failure) when (failure is InvalidDataException or SocketException or IOException or TimeoutException)
        {
            var words = failure is SocketException error ? KdcFailure.Words(error) : failure.Message;
            if (before is { Kdcs.Count: > 0 })
            {
                TransportLog.DnsFailed(logger, realm, words);
                return before with { Asked = time.GetTimestamp(), Life = ShortestLife };
            }
            throw new KerberosException(
                new KerberosFailure
                {
                    Exchange = KerberosExchange.KdcLookup,
                    Reason = KerberosFailureReason.KdcNotFound,
                    Realm = realm,
                    IsTransient = true,
                    Detail = $"no KDC of {realm} is configured, and DNS could not be asked for _kerberos._tcp.{realm}: the name server {words}",
                },
                failure);
        }
    }

    private static TimeSpan Clamp(TimeSpan life) => life < ShortestLife ? ShortestLife : life > LongestLife ? LongestLife : life;

    private static List<KdcEndpoint> Endpoints(IReadOnlyList<SrvRecord> records, KdcTransport transport) =>
        // "A Target of "." means that the service is decidedly not available at this domain" (RFC 2782).
        SrvRecord.InOrder(records.Where(static record => record.Port != 0 && Uri.CheckHostName(record.Target) == UriHostNameType.Dns))
            .Select(record => new KdcEndpoint(record.Target, record.Port, transport))
            .Distinct()
            .Take(MaxKdcs)
            .ToList();

    private sealed record FoundKdcs(IReadOnlyList<KdcEndpoint> Kdcs, long Asked, TimeSpan Life);

    private sealed class RealmEntry
    {
        private volatile FoundKdcs? _found;

        public SemaphoreSlim Turn { get; } = new(1, 1);

        public FoundKdcs? Found
        {
            get => _found;
            set => _found = value;
        }
    }
}
