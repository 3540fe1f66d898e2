using System.Globalization;
using System.Text;

namespace KcdDelegation.Kerberos.Names;

/// <summary>The characters of names: one rule for names from tokens, settings, files and messages.</summary>
/// <remarks>ASCII is printable ASCII. Other characters are letters, decimal digits, and marks after a letter of a script that needs them.
/// Everything else is rejected: invisible characters, punctuation, and characters that look the same as others. The rule uses Unicode
/// categories and tables, because .NET does not normalize text in its globalization-invariant mode.</remarks>
internal static class NameCharacters
{
    private const int MaxNameLength = 1024;

    /// <summary>No script writes more marks on one letter; more of them cover the text around them.</summary>
    private const int MaxMarksPerLetter = 4;

    /// <summary>Letters and marks that are drawn as nothing: Hangul fillers, Khmer inherent vowels, Mongolian and other variation
    /// selectors,
    /// the combining grapheme joiner and blank hieroglyphs.</summary>
    private static ReadOnlySpan<int> Invisible =>
    [
        0x034F, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180F, 0x2800, 0x2800, 0x3164, 0x3164, 0xFE00, 0xFE0F, 0xFFA0, 0xFFA0,
        0x13441, 0x13442, 0x16FE4, 0x16FE4, 0xE0000, 0xE0FFF,
    ];

    /// <summary>Letters and digits with a compatibility or singleton decomposition (UnicodeData.txt), which look like the characters that
    /// they
    /// decompose to: ligatures, superscripts, mathematical letters, full and half width, presentation forms, compatibility
    /// ideographs.</summary>
    /// <remarks>Not listed are the ligatures that Armenian, Thai and Lao spelling uses, and the ideographs without a
    /// decomposition.</remarks>
    private static ReadOnlySpan<int> Compatibility =>
    [
        0x00AA, 0x00AA, 0x00B5, 0x00B5, 0x00BA, 0x00BA, 0x0132, 0x0133, 0x013F, 0x0140, 0x0149, 0x0149, 0x017F, 0x017F, 0x01C4, 0x01CC,
        0x01F1, 0x01F3, 0x02B0, 0x02B8, 0x02E0, 0x02E4, 0x0340, 0x0341, 0x0343, 0x0344, 0x0374, 0x0374, 0x037A, 0x037A, 0x03D0, 0x03D6,
        0x03F0, 0x03F2, 0x03F4, 0x03F5, 0x03F9, 0x03F9, 0x0675, 0x0678, 0x0F77, 0x0F77, 0x0F79, 0x0F79, 0x10FC, 0x10FC, 0x1D2C, 0x1D6A,
        0x1D78, 0x1D78, 0x1D9B, 0x1DBF, 0x1E9A, 0x1E9B, 0x1F71, 0x1F71, 0x1F73, 0x1F73, 0x1F75, 0x1F75, 0x1F77, 0x1F77, 0x1F79, 0x1F79,
        0x1F7B, 0x1F7B, 0x1F7D, 0x1F7D, 0x1FBB, 0x1FBB, 0x1FBE, 0x1FBE, 0x1FC9, 0x1FC9, 0x1FCB, 0x1FCB, 0x1FD3, 0x1FD3, 0x1FDB, 0x1FDB,
        0x1FE3, 0x1FE3, 0x1FEB, 0x1FEB, 0x1FF9, 0x1FF9, 0x1FFB, 0x1FFB, 0x2071, 0x209C, 0x2100, 0x214F, 0x2C7C, 0x2C7D, 0x2D6F, 0x2D6F,
        0x309F, 0x309F, 0x30FF, 0x30FF, 0x3131, 0x318E, 0xA69C, 0xA69D, 0xA770, 0xA770, 0xA7F2, 0xA7F4, 0xA7F8, 0xA7F9, 0xAB5C, 0xAB5F,
        0xAB69, 0xAB69, 0xF900, 0xFA0D, 0xFA10, 0xFA10, 0xFA12, 0xFA12, 0xFA15, 0xFA1E, 0xFA20, 0xFA20, 0xFA22, 0xFA22, 0xFA25, 0xFA26,
        0xFA2A, 0xFDFF, 0xFE70, 0xFEFF, 0xFF00, 0xFFEF, 0x10780, 0x107BF, 0x1D400, 0x1D7FF, 0x1E030, 0x1E06D, 0x1EE00, 0x1EEFF,
        0x1FBF0, 0x1FBF9, 0x2F800, 0x2FA1F,
    ];

    /// <summary>Letters that can be mistaken for punctuation or only stretch the letter before them: modifier letters in the shape of
    /// accents,
    /// primes and colons, tatweel, N'Ko lajanyalan, the vertical tilde and Lisu tones.</summary>
    private static ReadOnlySpan<int> PunctuationLike =>
    [
        0x02B9, 0x02BA, 0x02BD, 0x02BD, 0x02C0, 0x02DF, 0x02E5, 0x02FF, 0x0640, 0x0640, 0x07FA, 0x07FA, 0x2E2F, 0x2E2F, 0xA4F8, 0xA4FD,
        0xA717, 0xA721, 0xA788, 0xA788,
    ];

    /// <summary>Conjoining parts of Hangul syllables: a syllable written in parts looks the same as the single character.</summary>
    private static ReadOnlySpan<int> HangulParts => [0x1100, 0x11FF, 0xA960, 0xA97F, 0xD7B0, 0xD7FF];

    /// <summary>Latin, Greek and Cyrillic: their accented letters are single characters.</summary>
    private static ReadOnlySpan<int> LatinGreekCyrillic =>
    [
        0x0000, 0x052F, 0x1C80, 0x1C8F, 0x1D00, 0x1DBF, 0x1E00, 0x1FFF, 0x2C60, 0x2C7F, 0xA640, 0xA69F, 0xA720, 0xA7FF, 0xAB30, 0xAB6F,
        0x10780, 0x107BF, 0x1DF00, 0x1DFFF, 0x1E030, 0x1E08F,
    ];

    /// <summary>The general combining marks, which belong to Latin, Greek and Cyrillic or strike letters out.</summary>
    private static ReadOnlySpan<int> GeneralMarks => [0x0300, 0x036F, 0x1AB0, 0x1AFF, 0x1DC0, 0x1DFF, 0x20D0, 0x20FF, 0xFE20, 0xFE2F];

    /// <summary>Returns null if the text can be part of a name, else the reason why it cannot.</summary>
    public static string? FindViolation(string text, string what)
    {
        if (text.Length == 0)
            return $"{what} is empty";
        if (text.Length > MaxNameLength)
            return $"{what} is longer than {MaxNameLength} characters";
        return FindViolation(text) is { } character ? $"{what} has {character}" : null;
    }

    /// <exception cref="ArgumentException">The text cannot be part of a name.</exception>
    public static void ThrowIfRefused(string text, string what, string parameter)
    {
        if (FindViolation(text, what) is { } reason)
            throw new ArgumentException(reason + ".", parameter);
    }

    /// <summary>Determines whether one of the components of a name, which slashes separate, has no characters.</summary>
    /// <param name="name">The name, which is not empty.</param>
    public static bool HasEmptyComponent(string name) =>
        name.StartsWith('/') || name.EndsWith('/') || name.Contains("//", StringComparison.Ordinal);

    /// <summary>Returns null if every character is allowed, else the first one that is not, such as "the combining mark U+0301 at
    /// 5".</summary>
    public static string? FindViolation(ReadOnlySpan<char> text)
    {
        // The number of marks on the last letter, or the maximum where no mark may follow.
        var marks = MaxMarksPerLetter;
        for (var position = 0; position < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text[position..], out var rune, out var length) != System.Buffers.OperationStatus.Done)
                return string.Create(CultureInfo.InvariantCulture, $"a lone surrogate at {position}");
            if (FindViolation(rune, ref marks) is { } what)
                return string.Create(CultureInfo.InvariantCulture, $"the {what} U+{rune.Value:X4} at {position}");
            position += length;
        }
        return null;
    }

    /// <summary>Returns whether the character is drawn as nothing, controls text, or has no fixed meaning.</summary>
    public static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned
        || (!rune.IsAscii && IsIn(Invisible, rune.Value));

    private static string? FindViolation(Rune rune, ref int marks)
    {
        var afterLetter = marks;
        marks = MaxMarksPerLetter;
        if (IsInvisible(rune))
            return "control or invisible character";
        if (rune.IsAscii)
            return null;
        if (IsIn(Compatibility, rune.Value))
            return "compatibility form of another character";
        if (IsIn(HangulParts, rune.Value))
            return "part of a syllable";
        if (IsIn(PunctuationLike, rune.Value))
            return "lookalike of punctuation";
        switch (Rune.GetUnicodeCategory(rune))
        {
            case UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter:
                marks = IsIn(LatinGreekCyrillic, rune.Value) ? MaxMarksPerLetter : 0;
                return null;
            case UnicodeCategory.DecimalDigitNumber:
                return null;
            case UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark:
                marks = Math.Min(afterLetter + 1, MaxMarksPerLetter);
                return afterLetter < MaxMarksPerLetter && !IsIn(GeneralMarks, rune.Value) ? null : "combining mark";
            case UnicodeCategory.EnclosingMark:
                return "combining mark";
            default:
                // The ideographic zero is a number by its category and a character of names.
                return rune.Value == 0x3007 ? null : "character that is neither letter nor digit";
        }
    }

    /// <summary>Returns whether the value is in one of the ranges, which are pairs of a first and a last value.</summary>
    private static bool IsIn(ReadOnlySpan<int> ranges, int value)
    {
        for (var i = 0; i < ranges.Length; i += 2)
        {
            if (value >= ranges[i] && value <= ranges[i + 1])
                return true;
        }
        return false;
    }
}
