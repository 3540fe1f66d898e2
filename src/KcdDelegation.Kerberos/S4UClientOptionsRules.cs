using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos;

/// <summary>The validation of a client's options.</summary>
internal static class S4UClientOptionsRules
{
    public static void ThrowIfInvalid(S4UClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options.Account);
        RealmName.ThrowIfInvalid(options.Realm, "Realm", nameof(options));
        if (options.EncryptionTypes is not { Count: > 0 } types)
            throw new ArgumentException("EncryptionTypes is empty. Give at least one AES type.", nameof(options));
        foreach (var type in types)
        {
            if (!EncryptionProfile.TryGet(type, out _))
                throw new ArgumentException($"EncryptionTypes contains {type}. Use the AES types 17 to 20.", nameof(options));
        }
        Positive(options.Timeout, nameof(options.Timeout));
        NotNegative(options.MaxClockCorrection, nameof(options.MaxClockCorrection));
        AtMost(TimeSpan.FromDays(1), options.Timeout, nameof(options.Timeout));
        ThrowIfInvalid(options.Cache);
        if (options.PasswordServers.Any(server => string.IsNullOrEmpty(server.Host) || server.Port is < 1 or > 65535))
        {
            throw new ArgumentException(
                "PasswordServers contains an endpoint without a host or with a port outside 1 to 65535.", nameof(options));
        }
        foreach (var (realm, kdcs) in options.Kdcs)
        {
            RealmName.ThrowIfInvalid(realm, "The key in Kdcs", nameof(options));
            if (kdcs.Any(kdc => string.IsNullOrEmpty(kdc.Host) || kdc.Port is < 1 or > 65535))
            {
                throw new ArgumentException(
                    $"Kdcs of '{realm}' contains an endpoint without a host or with a port outside 1 to 65535.", nameof(options));
            }
        }
    }

    private static void ThrowIfInvalid(TicketCacheOptions cache)
    {
        ArgumentNullException.ThrowIfNull(cache);
        NotNegative(cache.MinimumRemainingLife, nameof(cache.MinimumRemainingLife));
        NotNegative(cache.RefreshAhead, nameof(cache.RefreshAhead));
        NotNegative(cache.RefusalLife, nameof(cache.RefusalLife));
        Positive(cache.MaxEvidenceAge, nameof(cache.MaxEvidenceAge));
        Positive(cache.MaxTicketAge, nameof(cache.MaxTicketAge));
        AtMost(TimeSpan.FromDays(1), cache.MinimumRemainingLife, nameof(cache.MinimumRemainingLife));
        AtMost(TimeSpan.FromDays(1), cache.RefreshAhead, nameof(cache.RefreshAhead));
        AtMost(TimeSpan.FromDays(1), cache.RefusalLife, nameof(cache.RefusalLife));
        AtMost(TimeSpan.FromDays(7), cache.MaxEvidenceAge, nameof(cache.MaxEvidenceAge));
        AtMost(TimeSpan.FromDays(7), cache.MaxTicketAge, nameof(cache.MaxTicketAge));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(cache.MaxEntries, nameof(cache.MaxEntries));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(cache.MaxBytes, nameof(cache.MaxBytes));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(cache.MaxConcurrentExchanges, nameof(cache.MaxConcurrentExchanges));
        ArgumentOutOfRangeException.ThrowIfNegative(cache.MaxQueuedExchanges, nameof(cache.MaxQueuedExchanges));
    }

    private static void Positive(TimeSpan value, string name) =>
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);

    private static void AtMost(TimeSpan bound, TimeSpan value, string name) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, bound, name);

    private static void NotNegative(TimeSpan value, string name) =>
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, name);
}
