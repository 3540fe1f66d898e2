using System.Collections.Concurrent;
using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Recording;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The settings and services that all exchanges of one client share.</summary>
internal sealed class ExchangeContext
{
    private const int MaxRealms = 256;

    /// <summary>The allowed difference of clocks (RFC 4120 §3.1.3); five minutes are the usual default.</summary>
    public static readonly TimeSpan AllowedSkew = TimeSpan.FromMinutes(5);

    /// <summary>The requested lifetime of tickets. The KDC shortens it to its policy (RFC 4120 §3.1.3).</summary>
    public static readonly TimeSpan TicketLife = TimeSpan.FromHours(10);

    public required string Realm { get; init; }
    public required ServiceAccount Account { get; init; }
    public required IReadOnlyList<EncryptionType> EncryptionTypes { get; init; }
    public required TimeSpan MaxClockCorrection { get; init; }
    public required KdcClock Clock { get; init; }
    public required KdcDispatcher Dispatcher { get; init; }
    public required RealmConcurrencyLimits Limits { get; init; }
    public required ILogger Logger { get; init; }

    /// <summary>Gets the recorder of the exchanges, or null if they are not recorded.</summary>
    public ExchangeRecorder? Recorder { get; init; }

    /// <summary>The implementation of the KDCs per realm, as their errors show it. Bounded by the realms that a client asks.</summary>
    private readonly ConcurrentDictionary<string, KdcSoftware> _software = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Creates the context of the same account with other keys, for an exchange that proves one certain key.</summary>
    public ExchangeContext WithAccount(ServiceAccount account) => new()
    {
        Realm = Realm,
        Account = account,
        EncryptionTypes = EncryptionTypes,
        MaxClockCorrection = MaxClockCorrection,
        Clock = Clock,
        Dispatcher = Dispatcher,
        Limits = Limits,
        Logger = Logger,
        Recorder = Recorder,
    };

    /// <summary>Sends a TGS request to the KDCs of a realm, several at once if the first is slow.</summary>
    public Task<T> SendAsync<T>(string realm, TgsQuery<T> query, KerberosFailure subject, CancellationToken cancellationToken) =>
        SendAsync(realm, KdcRequestMode.Hedged, () => new TgsExchange<T>(query, EncryptionTypes, Clock), subject, cancellationToken);

    /// <summary>Sends a request to the KDCs of a realm, within the realm's concurrency limit. Failures get the names of the
    /// subject.</summary>
    public async Task<TReply> SendAsync<TReply>(
        string realm, KdcRequestMode mode, Func<KdcRequest<TReply>> create, KerberosFailure subject, CancellationToken cancellationToken)
    {
        try
        {
            using var permit = await Limits.AcquireAsync(realm, cancellationToken).ConfigureAwait(false);
            var recording = Recorder?.StartDispatch(subject.Exchange, realm);
            return await Dispatcher.SendAsync(realm, mode, create, recording, cancellationToken).ConfigureAwait(false);
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
    public void NoteSoftware(string realm, KdcSoftware seen) => NoteSoftware(realm, seen, KdcSoftwareDetection.Combine);

    /// <summary>Remembers the implementation that a ticket of the realm's KDC for a user of the realm shows.</summary>
    public void NoteTicket(string realm, IReadOnlyList<AuthorizationDataEntry> authorizationData) =>
        NoteSoftware(realm, KdcSoftwareDetection.Detect(authorizationData), KdcSoftwareDetection.CombineWithTicket);

    /// <summary>Adds the account, the realm that is asked, and the implementation of its KDC to the subject of a failure.</summary>
    public KerberosFailure Describe(KerberosFailure subject, string realm) => subject with
    {
        Realm = realm,
        Account = Account.Name,
        AccountRealm = Realm,
        KeySource = Account.Keys.Source,
        KdcSoftware = _software.GetValueOrDefault(realm),
    };

    private void NoteSoftware(string realm, KdcSoftware seen, Func<KdcSoftware, KdcSoftware, KdcSoftware> combine)
    {
        if (seen != KdcSoftware.Unknown && (_software.Count < MaxRealms || _software.ContainsKey(realm)))
            _software.AddOrUpdate(realm, seen, (_, known) => combine(known, seen));
    }
}
