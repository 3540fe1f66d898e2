using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos;

/// <summary>What options must be before a client is made of them.</summary>
internal static class S4UClientOptionsRules
{
    public static void ThrowIfInvalid(S4UClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options.Account);
        RealmName.ThrowIfInvalid(options.Realm, "Realm", nameof(options));
        if (options.EncryptionTypes is not { Count: > 0 } types)
            throw new ArgumentException("EncryptionTypes is empty.", nameof(options));
        foreach (var type in types)
        {
            if (!EncryptionProfile.TryGet(type, out _))
                throw new ArgumentException($"EncryptionTypes has {type}; only the AES types 17 to 20 are implemented.", nameof(options));
        }
        Positive(options.Timeout, nameof(options.Timeout));
        NotNegative(options.MaxClockCorrection, nameof(options.MaxClockCorrection));
        AtMost(TimeSpan.FromDays(1), options.Timeout, nameof(options.Timeout));
        ArgumentNullException.ThrowIfNull(options.Cache);
        NotNegative(options.Cache.MinimumRemainingLife, nameof(TicketCacheOptions.MinimumRemainingLife));
        NotNegative(options.Cache.RefreshAhead, nameof(TicketCacheOptions.RefreshAhead));
        NotNegative(options.Cache.RefusalLife, nameof(TicketCacheOptions.RefusalLife));
        AtMost(TimeSpan.FromDays(1), options.Cache.MinimumRemainingLife, nameof(TicketCacheOptions.MinimumRemainingLife));
        AtMost(TimeSpan.FromDays(1), options.Cache.RefreshAhead, nameof(TicketCacheOptions.RefreshAhead));
        AtMost(TimeSpan.FromDays(1), options.Cache.RefusalLife, nameof(TicketCacheOptions.RefusalLife));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Cache.MaxEntries, nameof(TicketCacheOptions.MaxEntries));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Cache.MaxBytes, nameof(TicketCacheOptions.MaxBytes));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Cache.MaxConcurrentExchanges, nameof(TicketCacheOptions.MaxConcurrentExchanges));
        ArgumentOutOfRangeException.ThrowIfNegative(options.Cache.MaxQueuedExchanges, nameof(TicketCacheOptions.MaxQueuedExchanges));
        foreach (var (realm, kdcs) in options.Kdcs)
        {
            RealmName.ThrowIfInvalid(realm, "The key in Kdcs", nameof(options));
            if (kdcs.Any(kdc => string.IsNullOrEmpty(kdc.Host) || kdc.Port is < 1 or > 65535))
                throw new ArgumentException($"Kdcs of {realm} has an endpoint without a host or with an impossible port.", nameof(options));
        }
    }

    private static void Positive(TimeSpan value, string name) => ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);

    private static void AtMost(TimeSpan bound, TimeSpan value, string name) => ArgumentOutOfRangeException.ThrowIfGreaterThan(value, bound, name);

    private static void NotNegative(TimeSpan value, string name) => ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, name);
}
