namespace KcdDelegation.Kerberos.Transport;

/// <summary>The failures of the KDCs that one request was sent to. Thread-safe.</summary>
internal sealed class KdcFailures(string realm)
{
    private readonly Lock _lock = new();
    private readonly List<(KdcEndpoint Kdc, KerberosException Error)> _failures = [];

    public string Realm => realm;

    public void Add(KdcEndpoint kdc, KerberosException error)
    {
        lock (_lock)
            _failures.Add((kdc, error));
    }

    /// <summary>Creates one exception that describes all failures.</summary>
    public KerberosException ToException()
    {
        List<(KdcEndpoint Kdc, KerberosException Error)> failures;
        lock (_lock)
            failures = [.. _failures];

        var rejected = failures.Exists(static failure => KdcFailure.IsRejectedReply(failure.Error));
        var allUnavailable = failures.Count > 0 && failures.TrueForAll(failure => failure.Error.Code == KerberosErrorCode.ServiceUnavailable);
        var list = failures.Count == 0 ? "none was asked before the time-out" : string.Join("; ", failures.Select(failure => $"{failure.Kdc} {KdcFailure.Describe(failure.Error)}"));
        return new KerberosException(
            new KerberosFailure
            {
                Code = allUnavailable ? KerberosErrorCode.ServiceUnavailable : null,
                Reason = allUnavailable ? KerberosFailureReason.KdcError
                    : rejected ? KerberosFailureReason.ReplyRejected
                    : KerberosFailureReason.KdcUnreachable,
                Realm = realm,
                // If every KDC sent an invalid reply, this is not an outage, and the same request would fail again.
                IsTransient = failures.Count == 0 || failures.Exists(static failure => failure.Error.IsTransient),
                Detail = $"no KDC of {realm} gave a usable answer: {list}",
            },
            failures.Count == 0 ? null : failures[0].Error);
    }
}
