namespace KcdDelegation.DirectoryServices.Messages;

/// <summary>The rule for attribute descriptions (RFC 4512 §2.5): a name or an object identifier, with options.</summary>
internal static class LdapAttributeName
{
    private const int MaxLength = 256;

    public static bool IsValid(string name) =>
        name.Length is > 0 and <= MaxLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or ';' or '.' or '=');

    /// <summary>Returns the name without its options.</summary>
    public static string GetBase(string description) =>
        description.IndexOf(';', StringComparison.Ordinal) is var end and >= 0 ? description[..end] : description;
}
