namespace KcdDelegation.Kerberos.Transport;

/// <summary>The failures of the KDCs that one request was sent to. Thread-safe.</summary>
internal sealed class KdcFailures(string realm)
{
    // One message names this many KDCs.
    private const int MaxListed = 8;

    private readonly Lock _lock = new();
    private readonly List<(KdcEndpoint Kdc, KerberosException Error)> _failures = [];

    public string Realm => realm;

    /// <summary>Gets the KDCs that failed.</summary>
    public IReadOnlyList<KdcEndpoint> Kdcs => [.. Snapshot().Select(static failure => failure.Kdc)];

    /// <summary>Gets the KDCs whose reply was rejected.</summary>
    public IReadOnlyList<KdcEndpoint> KdcsWithRejectedReply
    {
        get
        {
            lock (_lock)
            {
                return _failures.Count == 0
                    ? []
                    : [.. _failures.Where(static failure => KdcFailure.IsRejectedReply(failure.Error))
                        .Select(static failure => failure.Kdc)];
            }
        }
    }

    public void Add(KdcEndpoint kdc, KerberosException error)
    {
        lock (_lock)
            _failures.Add((kdc, error));
    }

    /// <summary>Returns whether the request may be repeated, since KDCs may be restarting (<see cref="KdcFailure.IsRestart"/>).</summary>
    /// <remarks>A request that proves a key is repeated only if no KDC has received it.</remarks>
    public bool AreRestarts(KdcRequestMode mode) => mode == KdcRequestMode.Hedged
        ? Snapshot().Exists(failure => KdcFailure.IsRestart(failure.Error, mode))
        : Snapshot().TrueForAll(failure => KdcFailure.IsRestart(failure.Error, mode));

    /// <summary>Creates one exception that describes all failures.</summary>
    public KerberosException ToException()
    {
        var failures = Snapshot();
        var rejected = failures.Exists(static failure => KdcFailure.IsRejectedReply(failure.Error));
        var allUnavailable = failures.Count > 0
            && failures.TrueForAll(failure => failure.Error.Code == KerberosErrorCode.ServiceUnavailable);
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
                Detail = $"no KDC of {realm} gave a usable answer: {Describe(failures)}",
            },
            failures.Count == 0 ? null : failures[0].Error);
    }

    private static string Describe(List<(KdcEndpoint Kdc, KerberosException Error)> failures)
    {
        if (failures.Count == 0)
            return "none was asked before the time-out";
        var text = string.Join("; ",
            failures.Take(MaxListed).Select(static failure => $"{failure.Kdc} {KdcFailure.Describe(failure.Error)}"));
        return failures.Count <= MaxListed ? text : $"{text}; and {failures.Count - MaxListed} more KDCs failed";
    }

    private List<(KdcEndpoint Kdc, KerberosException Error)> Snapshot()
    {
        lock (_lock)
            return [.. _failures];
    }
}
