namespace KcdDelegation.Kerberos.Transport;

/// <summary>Which KDCs failed lately. Those are asked last, so that a dead one costs one request its patience and not every one; and
/// after a while they are asked again beside a request, so that the preferred one is preferred again. Thread-safe.</summary>
internal sealed class KdcHealth(TimeSpan retryAfter, TimeProvider time)
{
    // KDCs come from configuration and DNS: whatever those say, this does not grow without end.
    private const int MaxRemembered = 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<KdcEndpoint, Failure> _failed = [];

    /// <summary>Those that did not fail in their own order, then the others, the one that failed longest ago first.</summary>
    public IReadOnlyList<KdcEndpoint> Order(IReadOnlyList<KdcEndpoint> kdcs)
    {
        lock (_lock)
            return kdcs.OrderBy(kdc => _failed.TryGetValue(kdc, out var failure) ? failure.Since : long.MinValue).ToList();
    }

    /// <summary>The failed ones that are due to be asked again; each is named once per <c>retryAfter</c>. None while all have failed:
    /// then they are asked anyway.</summary>
    public IReadOnlyList<KdcEndpoint> TakeDue(IReadOnlyList<KdcEndpoint> kdcs)
    {
        lock (_lock)
        {
            var failed = kdcs.Where(_failed.ContainsKey).ToList();
            if (failed.Count == 0 || failed.Count == kdcs.Count)
                return [];
            var now = time.GetTimestamp();
            var due = failed.FindAll(kdc => time.GetElapsedTime(_failed[kdc].LastAsked, now) >= retryAfter);
            foreach (var kdc in due)
                _failed[kdc] = _failed[kdc] with { LastAsked = now };
            return due;
        }
    }

    /// <returns>Whether the KDC had failed before.</returns>
    public bool Answered(KdcEndpoint kdc)
    {
        lock (_lock)
            return _failed.Remove(kdc);
    }

    /// <returns>Whether this is news.</returns>
    public bool Failed(KdcEndpoint kdc)
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

    private sealed record Failure(long Since, long LastAsked);
}
