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
    public static void WriteWrapped(OutputStream output, string head, string value) =>
        WriteWrapped(output, [new StyledText(head)], [new StyledText(value)]);

    /// <summary>Writes a value of several parts after a head. On a terminal, a long value is wrapped in its column.</summary>
    public static void WriteWrapped(OutputStream output, IReadOnlyList<StyledText> head, IReadOnlyList<StyledText> value)
    {
        StyledText[] parts = [.. value.Select(part => part with { Text = ToPrintable(part.Text) })];
        var indentation = head.Sum(part => part.Text.Length);
        var width = output.Width is { } columns ? Math.Max(MinimumWidth, columns - indentation) : int.MaxValue;
        foreach (var part in head)
            output.Write(part.Text, part.Style);
        var start = 0;
        foreach (var line in Wrap(string.Concat(parts.Select(part => part.Text)), width))
        {
            if (start > 0)
                output.Writer.Write(new string(' ', indentation));
            WriteParts(output, parts, start, start + line.Length);
            output.Writer.WriteLine();
            // A line ends at one space, which is not written.
            start += line.Length + 1;
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

    /// <summary>Writes the characters of the parts from one position to another.</summary>
    private static void WriteParts(OutputStream output, IEnumerable<StyledText> parts, int start, int end)
    {
        var position = 0;
        foreach (var (text, style) in parts)
        {
            var (from, to) = (Math.Max(start - position, 0), Math.Min(end - position, text.Length));
            if (from < to)
                output.Write(text[from..to], style);
            position += text.Length;
        }
    }
}

/// <summary>A part of a line.</summary>
/// <param name="Text">The text.</param>
/// <param name="Style">The emphasis.</param>
internal readonly record struct StyledText(string Text, TextStyle Style = TextStyle.Plain);
