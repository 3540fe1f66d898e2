namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Remembers a key that the KDC rejected. It is not tried again before the keytab or password changes or five minutes have passed,
/// since repeated attempts lock the account.</summary>
internal sealed class RejectedKeys(TimeProvider timeProvider)
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private (long KeyVersion, DateTimeOffset Until)? _rejected;

    public void Remember(long keyVersion)
    {
        lock (_lock)
            _rejected = (keyVersion, timeProvider.GetUtcNow() + Life);
    }

    public bool IsRejected(long keyVersion)
    {
        lock (_lock)
            return _rejected is { } rejected && rejected.KeyVersion == keyVersion && timeProvider.GetUtcNow() < rejected.Until;
    }

    /// <exception cref="KerberosException">The KDC rejected this key recently (<see
    /// cref="KerberosFailureReason.KeyRejected"/>).</exception>
    public void ThrowIfRejected(long keyVersion)
    {
        lock (_lock)
        {
            if (_rejected is not { } rejected || rejected.KeyVersion != keyVersion || timeProvider.GetUtcNow() >= rejected.Until)
                return;
            throw new KerberosException(new KerberosFailure
            {
                Code = KerberosErrorCode.PreAuthenticationFailed,
                Exchange = KerberosExchange.LogOn,
                Reason = KerberosFailureReason.KeyRejected,
                Detail = $"the KDC rejected this key; it is not tried again before the key changes or {rejected.Until:u}, "
                    + $"to avoid locking the account",
            });
        }
    }
}
