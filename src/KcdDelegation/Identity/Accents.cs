namespace KcdDelegation.Identity;

/// <summary>The base letters of accented Latin letters, which Active Directory treats as equal when it compares names.</summary>
/// <remarks>The table exists because .NET does not decompose letters in its globalization-invariant mode.</remarks>
internal static class Accents
{
    private const char FirstOfLatin = '\u00C0';
    private const char FirstOfAdditional = '\u1E00';

    // U+00C0 to U+024F: Latin-1 Supplement, Latin Extended-A and -B. A dot marks a character that is not an accented ASCII letter.
    private const string Latin =
        "AAAAAA.CEEEEIIII.NOOOOO..UUUUY..aaaaaa.ceeeeiiii.nooooo..uuuuy.yAaAaAaCcCcCcCcDd..EeEeEeEeEeGgGgGgGg"
        + "Hh..IiIiIiIiI...JjKk.LlLlLl....NnNnNn...OoOoOo..RrRrRrSsSsSsSsTtTt..UuUuUuUuUuUuWwYyYZzZzZz........."
        + "........................Oo.............Uu............................AaIiOoUuUuUuUuUu.AaAa....GgKkOo"
        + "Oo..j...Gg..NnAa....AaAaEeEeIiIiOoOoRrRrUuUuSsTt..Hh......AaEeOoOoOoOoYy............................";

    // U+1E00 to U+1EFF: Latin Extended Additional.
    private const string Additional =
        "AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMmMmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRrSsSs"
        + "SsSsSsTtTtTtTtUuUuUuUuUuVvVvWwWwWwWwWwXxXxYyZzZzZzhtwy.s....AaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEeEeEeEeEe"
        + "IiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYy......";

    /// <summary>Returns the ASCII letter of an accented letter, and any other character unchanged.</summary>
    public static char Remove(char letter) =>
        LetterIn(Latin, letter - FirstOfLatin) ?? LetterIn(Additional, letter - FirstOfAdditional) ?? letter;

    private static char? LetterIn(string table, int index) =>
        index >= 0 && index < table.Length && table[index] != '.' ? table[index] : null;
}
