namespace KcdDelegation.Kerberos.Names;

/// <summary>The rule for realm names, in options, settings, arguments and messages.</summary>
/// <remarks>Only the domain style of RFC 4120 §6.1 is supported. A realm becomes part of a DNS query and of a file path, so all other
/// characters are rejected.</remarks>
internal static class RealmName
{
    /// <summary>RFC 1035 §2.3.4: the length of a domain name.</summary>
    private const int MaxLength = 255;

    /// <summary>Returns whether the text is a realm: labels of ASCII letters, digits, hyphens and underscores, separated by dots.</summary>
    public static bool IsValid(string? text)
    {
        if (text is not { Length: > 0 and <= MaxLength })
            return false;
        var isLabel = false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_') && !(c == '.' && isLabel))
                return false;
            isLabel = c != '.';
        }
        return isLabel;
    }

    /// <exception cref="ArgumentException">The text is not a realm.</exception>
    public static void ThrowIfInvalid(string? text, string what, string parameter)
    {
        if (!IsValid(text))
            throw new ArgumentException(
                $"{what} {PrintableText.Quoted(text)} is not a realm. Write a name such as CONTOSO.COM.", parameter);
    }
}
