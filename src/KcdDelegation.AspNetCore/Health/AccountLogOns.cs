using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.AspNetCore.Health;

/// <summary>Logs accounts on for health checks, and repeats a failed log-on at most once a minute. Not thread-safe.</summary>
/// <remarks>Each log-on with a wrong key counts towards the lock-out of the account. The interval holds for the account, whatever its
/// settings and the result: two clients of one account count as one.</remarks>
internal sealed class AccountLogOns(DelegationClient client, TimeProvider timeProvider)
{
    /// <summary>The shortest time between two attempts after a failure.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Dictionary<(string Realm, string Account), Failure> _failures = [];

    /// <summary>Logs the account on, unless it is logged on or has failed less than a minute ago.</summary>
    /// <returns>The failure, which may be the one of the last attempt; null if the account is logged on.</returns>
    public async Task<KcdException?> LogOnAsync(ClientSettings settings, CancellationToken cancellationToken)
    {
        var account = (settings.Realm, settings.AccountName);
        if (_failures.TryGetValue(account, out var last) && timeProvider.GetElapsedTime(last.Timestamp) < Interval)
            return last.Error;
        try
        {
            await client.GetEngine(settings).LogOnAsync(cancellationToken).ConfigureAwait(false);
            _failures.Remove(account);
            return null;
        }
        catch (KerberosException error)
        {
            var refusal = KcdException.Explain(error);
            _failures[account] = new Failure(refusal, timeProvider.GetTimestamp());
            return refusal;
        }
    }

    private sealed record Failure(KcdException Error, long Timestamp);
}
