using System.Globalization;
using System.Text;

namespace KcdDelegation.Kerberos.Names;

/// <summary>Text from messages, files, tokens and settings in a form that is safe in logs, exceptions and error pages.</summary>
/// <remarks>Characters that break a line, are invisible, or change the direction of text are written as their code point.</remarks>
internal static class PrintableText
{
    private const int MaxLength = 512;

    /// <summary>Returns the text with unsafe characters replaced. Text longer than <paramref name="maxLength"/> is truncated.</summary>
    public static string From(string? text, int maxLength = MaxLength)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        if (text.Length <= maxLength && text.EnumerateRunes().All(IsPrintable))
            return text;
        var printable = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (printable.Length >= maxLength)
                return printable.Append('…').ToString();
            if (IsPrintable(rune))
                printable.Append(rune.ToString());
            else
                printable.Append(CultureInfo.InvariantCulture, $"<U+{rune.Value:X4}>");
        }
        return printable.ToString();
    }

    /// <summary>Returns the text in quotation marks, which show where it starts and ends.</summary>
    public static string Quoted(string? text) => $"\"{From(text, 128).Replace('"', '\'')}\"";

    // A lone surrogate is enumerated as U+FFFD.
    private static bool IsPrintable(Rune rune) => !NameCharacters.IsInvisible(rune);
}
