using System.Buffers;
using System.Globalization;
using System.Text;

namespace KcdDelegation.Identity;

/// <summary>Which names may be sent to a KDC. A name that passes is sent as it is: never trimmed, folded or normalised. What could be read
/// as another name, by the KDC or by a person, does not pass.</summary>
internal static class NameRules
{
    /// <summary>MS-SAMR §3.1.1.6: the sAMAccountName of a user has at most 20 characters.</summary>
    public const int MaxSamLength = 20;

    private const int MaxAccountLength = 64;
    private const int MaxSuffixLength = 255;

    // Not allowed in a sAMAccountName, and each has a meaning in some way of writing names: DOMAIN\user, user@realm, service/host, LDAP.
    private static readonly SearchValues<char> Reserved = SearchValues.Create("\"/\\[]:;|=,+*?<>@");

    /// <summary>Names that mean the realm's own accounts, in the languages in which Windows translates them, and without their accents.</summary>
    private static readonly string[] BuiltIn =
    [
        "Administrator", "Administrateur", "Administrador", "Amministratore", "Jarjestelmanvalvoja", "Rendszergazda",
        "Администратор", "Guest", "Gast", "Invite", "Invitado", "Convidado", "Ospite", "Vieras", "Vendeg", "Гость",
        "DefaultAccount", "WDAGUtilityAccount", "root",
    ];

    /// <summary>Null if the text can be the name of an account: a sAMAccountName, or what stands before the <c>@</c>.</summary>
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
            return "it begins with a space, or ends with a space or a dot";
        return name.EnumerateRunes().Select(FindViolation).FirstOrDefault(why => why is not null);
    }

    /// <summary>Null if the text can stand behind the <c>@</c>.</summary>
    public static string? FindSuffixViolation(string? suffix)
    {
        if (string.IsNullOrEmpty(suffix))
            return "it is empty";
        if (suffix.Length > MaxSuffixLength)
            return $"it is longer than {MaxSuffixLength} characters";
        if (!suffix.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            return "it has other characters than ASCII letters, digits, dots and hyphens";
        return suffix.Split('.').Any(label => label.Length == 0) ? "it begins or ends with a dot, or has two in a row" : null;
    }

    /// <summary>The KDC's own account, and those of read-only domain controllers (krbtgt_12345).</summary>
    public static bool IsKdc(string account) => Resembles(account.AsSpan(0, Math.Min(account.Length, 6)), "krbtgt");

    /// <summary>The realm's own accounts, and computers.</summary>
    public static bool IsBuiltIn(string account) => account.EndsWith('$') || Array.Exists(BuiltIn, name => Resembles(account, name));

    /// <summary>Active Directory compares names without case and accents. Letters of other scripts it tells apart, but people do not: a few of
    /// them among equal ones count as lookalikes.</summary>
    private static bool Resembles(ReadOnlySpan<char> account, string name)
    {
        if (account.Length != name.Length)
            return false;
        var (same, lookalikes) = (0, 0);
        for (var i = 0; i < name.Length; i++)
        {
            var letter = Accents.Remove(account[i]);
            if (char.ToLowerInvariant(letter) == char.ToLowerInvariant(name[i]))
                same++;
            else if (char.IsAscii(letter) || !char.IsAscii(name[i]))
                return false;
            else
                lookalikes++;
        }
        return same > lookalikes;
    }

    private static string? FindViolation(Rune rune)
    {
        if (rune.IsAscii)
            return Rune.IsControl(rune) ? Says(rune, "control character") : null;
        // Unicode calls them letters, but they are drawn as nothing.
        if (rune.Value is 0x115F or 0x1160 or 0x3164 or 0xFFA0 or 0x2800)
            return Says(rune, "invisible character");
        // Compatibility forms look like, and in the directory are equal to, plain letters: full width, ligatures, letterlike, mathematical.
        if (rune.Value is (>= 0xFF00 and <= 0xFFEF) or (>= 0xFB00 and <= 0xFDFF) or (>= 0xFE70 and <= 0xFEFF)
            or (>= 0x2100 and <= 0x214F) or (>= 0x1D400 and <= 0x1D7FF))
            return Says(rune, "compatibility form of another character");
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.OtherLetter
                or UnicodeCategory.DecimalDigitNumber => null,
            // The directory ignores accents that stand for themselves, so two names would be one account.
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => Says(rune, "combining mark"),
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                => Says(rune, "control or invisible character"),
            _ => Says(rune, "character that is neither letter nor digit"),
        };
    }

    private static string Says(Rune rune, string what) => string.Create(CultureInfo.InvariantCulture, $"it contains the {what} U+{rune.Value:X4}");
}
