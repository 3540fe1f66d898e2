using System.Globalization;

namespace KcdDelegation.Kerberos.Names;

/// <summary>What no name may contain, whoever it names: the characters with which one name can look like another or break a log line.</summary>
internal static class KerberosNameRules
{
    public const int MaxLength = 1024;

    /// <summary>Null if the text can be part of a name, else why it cannot.</summary>
    public static string? FindViolation(string text, string what)
    {
        if (text.Length == 0)
            return $"{what} is empty";
        if (text.Length > MaxLength)
            return $"{what} is longer than {MaxLength} characters";
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                if (!char.IsSurrogatePair(text, i))
                    return $"{what} has a lone surrogate at {i}";
                i++;
                continue;
            }
            // Control and format characters include NUL, CR, LF, the bidirectional controls and the zero-width ones.
            if (CharUnicodeInfo.GetUnicodeCategory(text[i]) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                return $"{what} has the control or invisible character U+{(int)text[i]:X4} at {i}";
        }
        return null;
    }

    public static void ThrowIfRefused(string text, string what, string parameter)
    {
        if (FindViolation(text, what) is { } why)
            throw new ArgumentException(why + ".", parameter);
    }
}
