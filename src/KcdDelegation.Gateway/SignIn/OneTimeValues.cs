namespace KcdDelegation.Gateway.SignIn;

/// <summary>Values that are accepted once, such as the <c>jti</c> of a logout token. They are remembered until they end. Bounded.
/// Thread-safe.</summary>
internal sealed class OneTimeValues(TimeProvider timeProvider)
{
    /// <summary>The largest number of values. Above it, the one that ends first is forgotten.</summary>
    public const int Capacity = 100_000;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _values = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, DateTimeOffset> _ends = new();

    /// <summary>Uses a value. Returns false if it was used before.</summary>
    /// <param name="value">The value.</param>
    /// <param name="end">The time after which the value is not accepted for another reason.</param>
    public bool TryUse(string value, DateTimeOffset end)
    {
        lock (_lock)
        {
            if (!_values.Add(value))
                return false;
            _ends.Enqueue(value, end);
            var now = timeProvider.GetUtcNow();
            while (_ends.TryPeek(out var first, out var firstEnd) && (firstEnd <= now || _ends.Count > Capacity))
            {
                _ends.Dequeue();
                _values.Remove(first);
            }
            return true;
        }
    }
}
