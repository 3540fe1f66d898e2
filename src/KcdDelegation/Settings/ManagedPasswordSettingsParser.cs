using KcdDelegation.Diagnosis;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Settings;

/// <summary>Parses <see cref="ManagedPasswordOptions"/>.</summary>
internal static class ManagedPasswordSettingsParser
{
    /// <returns>The settings, or null after at least one error was added.</returns>
    public static ManagedPasswordSettings? Parse(
        ManagedPasswordOptions managed,
        string? realm,
        string key,
        KcdOptions options,
        RealmKdcs kdcs,
        ClientLimits limits,
        SettingsErrors errors)
    {
        var count = errors.All.Count;
        if (string.IsNullOrWhiteSpace(managed.Reader))
            errors.Add($"{key}:Reader", "is missing", "Write the sAMAccountName of the account that reads the password, such as GATEWAY1$");
        else if (NameRules.FindAccountNameViolation(managed.Reader) is { } why)
            errors.Add($"{key}:Reader", $"{PrintableText.Quoted(managed.Reader)} is not an account's name: {why}",
                "Write the sAMAccountName without domain, such as GATEWAY1$");
        if (string.IsNullOrWhiteSpace(managed.ReaderKeytab))
            errors.Add($"{key}:ReaderKeytab", "is missing", "Write the path of a keytab with the reader's key");
        else
            KeyFile.Check(KeyFileKind.Keytab, managed.ReaderKeytab, $"{key}:ReaderKeytab", errors);
        for (var i = 0; i < managed.Servers.Count; i++)
        {
            if (Uri.CheckHostName(managed.Servers[i]) != UriHostNameType.Dns || !managed.Servers[i].Contains('.', StringComparison.Ordinal))
                errors.Add($"{key}:Servers:{i}", $"{PrintableText.Quoted(managed.Servers[i])} is not the full name of a server",
                    "Write the DNS name of a domain controller, such as dc1.contoso.com. Its ticket is issued for this name, so an "
                    + "address does not work");
        }
        if (options.ManagedPasswordSource is null)
            errors.Add(key, "needs the directory client, which this program does not have",
                "Install the package KcdDelegation.Directory and call services.AddKcdDirectory(), or options.UseDirectory() without services");
        if (errors.All.Count > count || realm is null)
            return null;
        return new ManagedPasswordSettings(realm, managed.Reader!, managed.ReaderKeytab!, string.Join(' ', managed.Servers), kdcs)
        {
            CreateSource = options.ManagedPasswordSource!,
            Limits = limits,
        };
    }
}
