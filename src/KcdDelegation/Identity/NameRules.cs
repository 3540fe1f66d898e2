using System.Buffers;
using System.Globalization;
using System.Text;

namespace KcdDelegation.Identity;

/// <summary>The rules for names of users and their suffixes. A name that passes is sent unchanged.</summary>
/// <remarks>A name that the KDC or a person could read as another name is rejected.</remarks>
internal static class NameRules
{
    /// <summary>MS-SAMR §3.1.1.6: the sAMAccountName of a user has at most 20 characters.</summary>
    public const int MaxSamLength = 20;

    private const int MaxAccountLength = 64;
    private const int MaxSuffixLength = 255;

    // Not allowed in a sAMAccountName. Each has a meaning in a notation for names: DOMAIN\user, user@realm, service/host, LDAP.
    private static readonly SearchValues<char> Reserved = SearchValues.Create("\"/\\[]:;|=,+*?<>@");

    private static readonly SearchValues<char> SuffixCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_");

    /// <summary>The names of built-in accounts in the languages in which Windows translates them, without accents.</summary>
    private static readonly string[] BuiltIn =
    [
        "Administrator", "Administrateur", "Administrador", "Amministratore", "Jarjestelmanvalvoja", "Rendszergazda",
        "Администратор", "Guest", "Gast", "Invite", "Invitado", "Convidado", "Ospite", "Vieras", "Vendeg", "Гость",
        "DefaultAccount", "WDAGUtilityAccount", "root",
    ];

    private const char FirstOfLatin = '\u00C0';
    private const char FirstOfAdditional = '\u1E00';

    // The base letters of accented Latin letters, because .NET does not decompose letters in its globalization-invariant mode. U+00C0 to
    // U+024F: Latin-1 Supplement, Latin Extended-A and -B. A dot marks a character that is not an accented ASCII letter.
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

    /// <summary>Returns null if the text can be an account name (a sAMAccountName or the part before the <c>@</c>), else the
    /// reason.</summary>
    public static string? FindAccountNameViolation(string name)
    {
        if (name.Length == 0)
            return "it is empty";
        if (name.Length > MaxAccountLength)
            return $"it is longer than {MaxAccountLength} characters";
        var reserved = name.AsSpan().IndexOfAny(Reserved);
        if (reserved >= 0)
            return $"it contains {name[reserved]}";
        if (name[0] == ' ' || name[^1] is ' ' or '.')
            return "it starts with a space, or ends with a space or a dot";
        return NameCharacters.FindViolation(name) is { } character ? $"it contains {character}" : null;
    }

    /// <summary>Returns null if the text can be the part after the <c>@</c>, else the reason.</summary>
    public static string? FindSuffixViolation(string? suffix)
    {
        if (string.IsNullOrEmpty(suffix))
            return "it is empty";
        if (suffix.Length > MaxSuffixLength)
            return $"it is longer than {MaxSuffixLength} characters";
        if (suffix.AsSpan().ContainsAnyExcept(SuffixCharacters))
            return "it has characters other than ASCII letters, digits, dots, hyphens and underscores";
        return suffix.StartsWith('.') || suffix.EndsWith('.') || suffix.Contains("..", StringComparison.Ordinal)
            ? "it starts or ends with a dot, or has two in a row" : null;
    }

    /// <summary>Returns whether Entra gave a guest this name: <c>name_home.example#EXT#@tenant.onmicrosoft.com</c>.</summary>
    public static bool IsGuest(string name) => name.Contains("#EXT#", StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns whether this is the KDC's account, or that of a read-only domain controller (krbtgt_12345).</summary>
    public static bool IsKdc(string account)
    {
        var letters = RemoveMarks(account);
        return Resembles(letters.AsSpan(0, Math.Min(letters.Length, 6)), "krbtgt");
    }

    /// <summary>Returns whether this is a built-in account of the realm, or a computer account.</summary>
    public static bool IsBuiltIn(string account)
    {
        if (account.EndsWith('$'))
            return true;
        var letters = RemoveMarks(account);
        foreach (var name in BuiltIn)
        {
            if (Resembles(letters, name))
                return true;
        }
        return false;
    }

    /// <summary>Removes marks and modifier letters, so that they cannot hide a name from the comparison.</summary>
    private static string RemoveMarks(string name) => Ascii.IsValid(name)
        ? name
        : string.Concat(name.Where(c => char.GetUnicodeCategory(c) is not (
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.ModifierLetter)));

    /// <summary>Returns whether the account has the name or looks like it.</summary>
    /// <remarks>Active Directory compares names without case and accents. It distinguishes letters of other scripts, but people do not: a
    /// few of them among equal letters count as lookalikes.</remarks>
    private static bool Resembles(ReadOnlySpan<char> account, string name)
    {
        if (account.Length != name.Length)
            return false;
        var (same, lookalikes) = (0, 0);
        for (var i = 0; i < name.Length; i++)
        {
            var letter = RemoveAccent(account[i]);
            if (char.ToLowerInvariant(letter) == char.ToLowerInvariant(name[i]))
                same++;
            else if (char.IsAscii(letter) || !char.IsAscii(name[i]))
                return false;
            else
                lookalikes++;
        }
        return same > lookalikes;
    }

    /// <summary>Returns the ASCII letter of an accented letter, and any other character unchanged.</summary>
    private static char RemoveAccent(char letter) =>
        FindBaseLetter(Latin, letter - FirstOfLatin) ?? FindBaseLetter(Additional, letter - FirstOfAdditional) ?? letter;

    private static char? FindBaseLetter(string table, int index) =>
        index >= 0 && index < table.Length && table[index] != '.' ? table[index] : null;
}
