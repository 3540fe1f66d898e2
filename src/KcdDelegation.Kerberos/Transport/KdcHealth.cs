namespace KcdDelegation.Kerberos.Transport;

/// <summary>The KDCs that failed recently. Thread-safe.</summary>
/// <remarks>They are asked last, so that an unreachable KDC delays one request instead of all. After a while each gets a trial request in
/// the background, so that a recovered KDC is preferred again.</remarks>
internal sealed class KdcHealth(TimeSpan retryAfter, TimeProvider time)
{
    // KDCs come from configuration and DNS. The bound holds whatever those contain.
    private const int MaxRemembered = 1024;

    // A realm whose KDCs have recovered all at once is not asked with a burst of trial requests.
    private const int MaxTrials = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<KdcEndpoint, Failure> _failed = [];

    /// <summary>Orders KDCs: first those that have not failed, in the given order, then the others, the longest-failed first.</summary>
    public IReadOnlyList<KdcEndpoint> Order(IReadOnlyList<KdcEndpoint> kdcs)
    {
        lock (_lock)
        {
            return _failed.Count == 0
                ? kdcs
                : kdcs.OrderBy(kdc => _failed.TryGetValue(kdc, out var failure) ? failure.Since : long.MinValue).ToList();
        }
    }

    /// <summary>Returns failed KDCs that are due for a trial request. Each is returned once per <c>retryAfter</c>.</summary>
    /// <remarks>The result is empty if all KDCs have failed, since requests then ask them anyway.</remarks>
    public IReadOnlyList<KdcEndpoint> TakeDue(IReadOnlyList<KdcEndpoint> kdcs)
    {
        lock (_lock)
        {
            if (_failed.Count == 0)
                return [];
            var failed = kdcs.Where(_failed.ContainsKey).ToList();
            if (failed.Count == 0 || failed.Count == kdcs.Count)
                return [];
            var now = time.GetTimestamp();
            var due = failed.Where(kdc => time.GetElapsedTime(_failed[kdc].LastTrial, now) >= retryAfter).Take(MaxTrials).ToList();
            foreach (var kdc in due)
                _failed[kdc] = _failed[kdc] with { LastTrial = now };
            return due;
        }
    }

    /// <summary>Returns whether one of the KDCs failed for the first time within <c>retryAfter</c>, so that it may soon be back.</summary>
    public bool IsRecent(IReadOnlyList<KdcEndpoint> kdcs)
    {
        lock (_lock)
            return kdcs.Any(kdc => !_failed.TryGetValue(kdc, out var failure) || time.GetElapsedTime(failure.Since) < retryAfter);
    }

    /// <summary>Records that a KDC answered.</summary>
    /// <returns>Whether the KDC was recorded as failed.</returns>
    public bool RecordAnswer(KdcEndpoint kdc)
    {
        lock (_lock)
            return _failed.Remove(kdc);
    }

    /// <summary>Records that a KDC failed.</summary>
    /// <returns>Whether the KDC was not recorded as failed before.</returns>
    public bool RecordFailure(KdcEndpoint kdc)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var isNew = !_failed.TryGetValue(kdc, out var before);
            if (isNew && _failed.Count >= MaxRemembered)
                _failed.Clear();
            _failed[kdc] = new Failure(before?.Since ?? now, now);
            return isNew;
        }
    }

    private sealed record Failure(long Since, long LastTrial);
}
