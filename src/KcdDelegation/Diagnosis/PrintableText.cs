using System.Globalization;
using System.Text;

namespace KcdDelegation.Diagnosis;

/// <summary>Foreign text made fit for a log line or an error page: what could break the line, hide in it or turn it around is written as its
/// code point, and its length is bounded.</summary>
internal static class PrintableText
{
    private const int MaxLength = 512;

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

    /// <summary>In quotation marks, so that it is seen where foreign text begins and ends.</summary>
    public static string Quoted(string? text) => $"\"{From(text, 128).Replace('"', '\'')}\"";

    // A lone surrogate is enumerated as U+FFFD.
    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
