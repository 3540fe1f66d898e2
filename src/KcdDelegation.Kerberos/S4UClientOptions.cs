using KcdDelegation.Kerberos.Recording;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos;

/// <summary>Options of an <see cref="S4UClient"/>. The constructor reads them once; later changes have no effect.</summary>
public sealed class S4UClientOptions
{
    /// <summary>Gets the account's realm as the KDC writes it. In Active Directory this is the domain's DNS name in upper case.</summary>
    public required string Realm { get; init; }

    /// <summary>Gets the account that delegates. The client does not own it.</summary>
    public required ServiceAccount Account { get; init; }

    /// <summary>Gets the static KDCs of each realm. KDCs of other realms are found in krb5.conf, then by DNS SRV records.</summary>
    public IDictionary<string, IReadOnlyList<KdcEndpoint>> Kdcs { get; } =
        new Dictionary<string, IReadOnlyList<KdcEndpoint>>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Gets the password servers of the account's realm (RFC 3244), for an account that changes its own password. If the list is
    /// empty, port 464 of the realm's KDCs or the SRV records <c>_kpasswd._tcp</c> are used.</summary>
    public IReadOnlyList<KdcEndpoint> PasswordServers { get; init; } = [];

    /// <summary>Gets the encryption types that are offered to KDCs for session keys and the account's key, the preferred one
    /// first.</summary>
    public IReadOnlyList<EncryptionType> EncryptionTypes { get; init; } =
    [
        EncryptionType.Aes256CtsHmacSha1,
        EncryptionType.Aes128CtsHmacSha1,
        EncryptionType.Aes256CtsHmacSha384,
        EncryptionType.Aes128CtsHmacSha256,
    ];

    /// <summary>Gets the time budget of one ticket. It covers all exchanges, KDCs and hops.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets the largest difference of the KDC's clock that is corrected. A larger one is an error.</summary>
    public TimeSpan MaxClockCorrection { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Gets the bounds and times of the ticket cache.</summary>
    public TicketCacheOptions Cache { get; init; } = new();

    /// <summary>Gets the clock and the source of timers.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Gets the factory of the client's loggers, or null for no log.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Gets the recorder of the exchanges with KDCs, or null for none.</summary>
    internal ExchangeRecorder? Recorder { get; init; }
}
