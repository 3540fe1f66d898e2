namespace KcdDelegation.Kerberos.Names;

/// <summary>The rules for names of all kinds. A name that passes is used unchanged.</summary>
internal static class KerberosNameRules
{
    public const int MaxLength = 1024;

    /// <summary>Returns null if the text can be part of a name, else the reason why it cannot.</summary>
    public static string? FindViolation(string text, string what)
    {
        if (text.Length == 0)
            return $"{what} is empty";
        if (text.Length > MaxLength)
            return $"{what} is longer than {MaxLength} characters";
        return NameCharacters.FindViolation(text) is { } character ? $"{what} has {character}" : null;
    }

    /// <exception cref="ArgumentException">The text cannot be part of a name.</exception>
    public static void ThrowIfRefused(string text, string what, string parameter)
    {
        if (FindViolation(text, what) is { } reason)
            throw new ArgumentException(reason + ".", parameter);
    }
}
