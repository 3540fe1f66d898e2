namespace KcdDelegation.Tool.Settings;

/// <summary>Replaces the settings keys in messages of the library by the options of the command line.</summary>
internal static class OptionNames
{
    /// <summary>The replacements. A phrase comes before the keys in it.</summary>
    private static readonly (string Text, string Replacement)[] Replacements =
    [
        ("Kcd:ServiceAccount:Keytab (or PasswordFile)", "--keytab (or --password-file)"),
        ("Kcd:ServiceAccount:Keytab", "--keytab"),
        ("Kcd:ServiceAccount:PasswordFile", "--password-file"),
        ("Kcd:ServiceAccount:Name", "--account"),
        ("another LoginIdentity, or list the UPN suffix under Kcd:Realms:REALM:UserPrincipalSuffixes",
            "that name with --user, or specify the user's realm with --user-realm"),
        ("list the UPN suffix under Kcd:Realms:REALM:UserPrincipalSuffixes", "specify the user's realm with --user-realm"),
        ("list the suffix under Kcd:Realms:REALM:UserPrincipalSuffixes", "specify the user's realm with --user-realm"),
        ("Kcd:Realms:REALM:UserPrincipalSuffixes", "--user-realm"),
        ("those of another realm under Kcd:Realms:REALM:Kdcs", "those of another realm with --kdc REALM=HOST"),
        ("Kcd:Realms:REALM:Kdcs", "--kdc REALM=HOST"),
        ("under Kcd:Kdcs", "with --kdc"),
        ("Kcd:Kdcs", "--kdc"),
        ("Kcd:Realm", "--realm"),
    ];

    public static string ReplaceKeys(string text)
    {
        foreach (var (key, replacement) in Replacements)
            text = text.Replace(key, replacement, StringComparison.Ordinal);
        return text;
    }
}
