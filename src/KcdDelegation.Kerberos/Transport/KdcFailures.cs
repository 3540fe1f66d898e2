namespace KcdDelegation.Kerberos.Transport;

/// <summary>What became of each KDC that one request was sent to. Thread-safe.</summary>
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

    /// <summary>One exception for all of them.</summary>
    public KerberosException ToException()
    {
        List<(KdcEndpoint Kdc, KerberosException Error)> failures;
        lock (_lock)
            failures = [.. _failures];

        var rejected = failures.Exists(static failure => KdcFailure.IsRejectedReply(failure.Error));
        var allUnavailable = failures.Count > 0 && failures.TrueForAll(failure => failure.Error.Code == KerberosErrorCode.ServiceUnavailable);
        var list = failures.Count == 0 ? "none was asked before the time was up" : string.Join("; ", failures.Select(failure => $"{failure.Kdc} {KdcFailure.Words(failure.Error)}"));
        return new KerberosException(
            new KerberosFailure
            {
                Code = allUnavailable ? KerberosErrorCode.ServiceUnavailable : null,
                Reason = allUnavailable ? KerberosFailureReason.KdcError
                    : rejected ? KerberosFailureReason.ReplyRejected
                    : KerberosFailureReason.KdcUnreachable,
                Realm = realm,
                // What every KDC answers wrongly is no outage: trying again is for whoever finds out why.
                IsTransient = failures.Count == 0 || failures.Exists(static failure => failure.Error.IsTransient),
                Detail = $"no KDC of {realm} gave a usable answer: {list}",
            },
            failures.Count == 0 ? null : failures[0].Error);
    }
}
