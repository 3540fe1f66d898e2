using System.Collections;

namespace KcdDelegation.Tool.Output;

/// <summary>Lines of a label and a value, the values in one column.</summary>
internal sealed class LabelledLines : IEnumerable<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> _lines = [];

    public void Add(string label, string value) => _lines.Add(new(label, value));

    public void Write(TextWriter output)
    {
        var width = _lines.Max(line => line.Key.Length);
        foreach (var (label, value) in _lines)
            output.WriteLine($"  {label.PadRight(width)}  {value}");
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _lines.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
