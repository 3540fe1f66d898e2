namespace KcdDelegation.Testing.Kdc;

/// <summary>The requests and answers, in order. Thread-safe.</summary>
internal sealed class Transcript
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Snapshot()
    {
        lock (_lock)
            return [.. _lines];
    }

    public void Add(string line)
    {
        lock (_lock)
            _lines.Add(line);
    }

    public void Clear()
    {
        lock (_lock)
            _lines.Clear();
    }
}
