using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos;

/// <summary>Settings of an <see cref="S4UClient"/>. Read once by its constructor; changing them later has no effect.</summary>
public sealed class S4UClientOptions
{
    /// <summary>The realm of the account, as the KDC writes it: in Active Directory the domain's DNS name in upper case.</summary>
    public required string Realm { get; init; }

    /// <summary>The account that delegates. Not owned by the client.</summary>
    public required ServiceAccount Account { get; init; }

    /// <summary>Static KDCs per realm, the account's own and foreign ones. A realm that is not here is found in krb5.conf, then by DNS SRV.</summary>
    public IDictionary<string, IReadOnlyList<KdcEndpoint>> Kdcs { get; } = new Dictionary<string, IReadOnlyList<KdcEndpoint>>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Offered to KDCs, the preferred first; for session keys and for the account's own key.</summary>
    public IReadOnlyList<EncryptionType> EncryptionTypes { get; init; } =
        [EncryptionType.Aes256CtsHmacSha1, EncryptionType.Aes128CtsHmacSha1, EncryptionType.Aes256CtsHmacSha384, EncryptionType.Aes128CtsHmacSha256];

    /// <summary>Budget of one ticket, all exchanges, KDCs and hops together.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How far the KDC's clock may be from this machine's before it is an error rather than corrected.</summary>
    public TimeSpan MaxClockCorrection { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Bounds and times of the ticket cache.</summary>
    public TicketCacheOptions Cache { get; init; } = new();

    /// <summary>The clock and timers.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where the client logs; null: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}
