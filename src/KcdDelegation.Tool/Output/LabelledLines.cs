using System.Collections;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>Lines of a label and a value, with the values aligned in one column.</summary>
internal sealed class LabelledLines : IEnumerable<KeyValuePair<string, string>>
{
    private const int MinimumWidth = 20;

    private readonly List<KeyValuePair<string, string>> _lines = [];

    public void Add(string label, string value) => _lines.Add(new(label, value));

    /// <summary>Replaces the characters that would control the terminal or hide in the text by their code points.</summary>
    public static string ToPrintable(string text) => PrintableText.From(text, int.MaxValue);

    /// <summary>Writes the lines. On a terminal, a long value is wrapped in its column.</summary>
    public void Write(OutputStream output)
    {
        var labelWidth = _lines.Max(line => line.Key.Length);
        foreach (var (label, value) in _lines)
            WriteWrapped(output, $"  {label.PadRight(labelWidth)}  ", value);
    }

    /// <summary>Writes a value after a head. On a terminal, a long value is wrapped in its column.</summary>
    public static void WriteWrapped(OutputStream output, string head, string value)
    {
        var width = output.Width is { } columns ? Math.Max(MinimumWidth, columns - head.Length) : int.MaxValue;
        var indentation = new string(' ', head.Length);
        foreach (var line in Wrap(ToPrintable(value), width))
        {
            output.Writer.WriteLine(head + line);
            head = indentation;
        }
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _lines.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Breaks lines at spaces only, so that commands can be copied.</summary>
    private static IEnumerable<string> Wrap(string text, int width)
    {
        while (text.Length > width)
        {
            var space = text.LastIndexOf(' ', width);
            if (space <= 0)
                space = text.IndexOf(' ', width);
            if (space < 0)
                break;
            yield return text[..space];
            text = text[(space + 1)..];
        }
        yield return text;
    }
}
