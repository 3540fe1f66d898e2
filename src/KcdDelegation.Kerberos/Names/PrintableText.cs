using System.Globalization;

namespace KcdDelegation.Kerberos.Names;

/// <summary>Text from the wire or a file, made fit for messages and logs.</summary>
internal static class PrintableText
{
    private const int MaxLength = 256;

    /// <summary>Control, format and other invisible characters become <c>?</c>; what is longer than 256 characters is cut.</summary>
    public static string From(string text)
    {
        var shown = text.Length <= MaxLength ? text : text[..MaxLength];
        var clean = string.Create(shown.Length, shown, static (target, source) =>
        {
            for (var i = 0; i < target.Length; i++)
            {
                target[i] = char.GetUnicodeCategory(source[i]) is UnicodeCategory.Control or UnicodeCategory.Format
                    or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                    or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned
                    ? '?'
                    : source[i];
            }
        });
        return shown.Length == text.Length ? clean : clean + "…";
    }
}
