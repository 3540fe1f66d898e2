using System.Collections.Concurrent;
using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>What all exchanges of one client share.</summary>
internal sealed class ExchangeContext
{
    private const int MaxRealms = 256;

    /// <summary>RFC 4120 §3.1.3 and everyone's default: clocks may differ by five minutes.</summary>
    public static readonly TimeSpan AllowedSkew = TimeSpan.FromMinutes(5);

    /// <summary>Tickets are asked for ten hours and renewable for a week; the KDC cuts this to its policy (RFC 4120 §3.1.3).</summary>
    public static readonly TimeSpan TicketLife = TimeSpan.FromHours(10);

    public required string Realm { get; init; }
    public required ServiceAccount Account { get; init; }
    public required IReadOnlyList<EncryptionType> EncryptionTypes { get; init; }
    public required TimeSpan MaxClockCorrection { get; init; }
    public required KdcClock Clock { get; init; }
    public required KdcDispatcher Dispatcher { get; init; }
    public required RealmConcurrencyLimits Limits { get; init; }
    public required ILogger Logger { get; init; }

    /// <summary>The implementation of the KDCs per realm, as their errors show it. Bounded by the realms that a client asks.</summary>
    private readonly ConcurrentDictionary<string, KdcSoftware> _software = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Asks a KDC of the realm, in its turn; what fails says where and for whom.</summary>
    public async Task<TReply> SendAsync<TReply>(string realm, KdcRequestMode attempts, Func<KdcRequest<TReply>> create, KerberosFailure subject, CancellationToken cancellationToken)
    {
        try
        {
            using var permit = await Limits.AcquireAsync(realm, cancellationToken).ConfigureAwait(false);
            return await Dispatcher.SendAsync(realm, attempts, create, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error)
        {
            NoteSoftware(realm, error.KdcSoftware);
            throw error.InContext(Describe(subject, realm));
        }
        catch (OperationCanceledException cancelled) when (cancelled.InnerException is KerberosException soFar)
        {
            throw new OperationCanceledException(cancelled.Message, soFar.InContext(Describe(subject, realm)), cancellationToken);
        }
    }

    /// <summary>Remembers the implementation that an answer of the realm's KDC shows.</summary>
    public void NoteSoftware(string realm, KdcSoftware seen)
    {
        if (seen != KdcSoftware.Unknown && (_software.Count < MaxRealms || _software.ContainsKey(realm)))
            _software.AddOrUpdate(realm, seen, (_, known) => KdcSoftwareDetection.Combine(known, seen));
    }

    /// <summary>Adds the account, the realm that is asked, and the implementation of its KDC to the subject of a failure.</summary>
    public KerberosFailure Describe(KerberosFailure subject, string realm) => subject with
    {
        Realm = realm,
        Account = Account.Name,
        AccountRealm = Realm,
        KeySource = Account.Keys is KeytabKeyProvider ? AccountKeySource.Keytab : AccountKeySource.Password,
        KdcSoftware = _software.GetValueOrDefault(realm),
    };
}
