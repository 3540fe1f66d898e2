using System.Runtime.InteropServices;
using KcdDelegation.Kerberos;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Diagnosis;

/// <summary>The last result of each delegating account's log-on check. A health check polls it, so that only a change of the result is
/// logged. Thread-safe.</summary>
internal sealed class AccountLogOns(ILogger logger, ILogger audit)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Realm, string Account), Outcome> _failed = [];

    /// <summary>The properties that distinguish one failure from another. Texts are not compared, because they contain times.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Outcome(
        int EventId, KcdErrorKind Kind, KerberosErrorCode? Code, KerberosFailureReason? Reason, int? Status);

    /// <summary>Records a failure, and logs it if the previous check did not fail in the same way.</summary>
    public void Failed(string realm, string account, KcdException refusal)
    {
        var outcome = GetOutcome(refusal);
        lock (_lock)
        {
            if (_failed.TryGetValue((realm, account), out var last) && last == outcome)
                return;
            _failed[(realm, account)] = outcome;
        }
        Log.Refused(audit, refusal);
    }

    /// <summary>Records a success, and logs it if the previous check failed.</summary>
    public void Succeeded(string realm, string account)
    {
        bool wasFailed;
        lock (_lock)
            wasFailed = _failed.Remove((realm, account));
        if (wasFailed)
            Log.LogOnRecovered(logger, account, realm);
    }

    private static Outcome GetOutcome(KcdException refusal)
    {
        var error = refusal.InnerException as KerberosException;
        // The engine does not send a rejected key again, and reports that instead of the KDC's code. Nothing has changed.
        return error?.Code == KerberosErrorCode.PreAuthenticationFailed
            ? new Outcome(refusal.EventId, refusal.Kind, null, KerberosFailureReason.KeyRejected, null)
            : new Outcome(refusal.EventId, refusal.Kind, error?.Code, error?.Reason, error?.NtStatus);
    }
}
