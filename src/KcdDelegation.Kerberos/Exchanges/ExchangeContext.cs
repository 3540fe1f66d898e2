using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>What all exchanges of one client share.</summary>
internal sealed class ExchangeContext
{
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
            throw error.InContext(subject with { Realm = realm, Account = Account.Name });
        }
        catch (OperationCanceledException cancelled) when (cancelled.InnerException is KerberosException soFar)
        {
            throw new OperationCanceledException(cancelled.Message, soFar.InContext(subject with { Realm = realm, Account = Account.Name }), cancellationToken);
        }
    }
}
