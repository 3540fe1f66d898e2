using System.Globalization;
using System.Net;
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
            if (!IsServer(managed.Servers[i]))
                errors.Add($"{key}:Servers:{i}", $"{PrintableText.Quoted(managed.Servers[i])} is not the full name of a server",
                    "Write the DNS name of a domain controller, such as dc1.contoso.com, dc1.contoso.com:389 or, if DNS does not have it, "
                    + "dc1.contoso.com=192.0.2.10. The ticket is issued for the name, so an address alone does not work");
        }
        if (options.ManagedPasswordSource is null)
            errors.Add(key, "needs the directory client, which this program does not have",
                "Install the package KcdDelegation.Directory and call services.AddKcdDirectory(), or options.UseDirectory() without "
                + "services");
        if (errors.All.Count > count || realm is null)
            return null;
        return new ManagedPasswordSettings(realm, managed.Reader!, managed.ReaderKeytab!, string.Join(' ', managed.Servers), kdcs)
        {
            CreateSource = options.ManagedPasswordSource!,
            Limits = limits,
        };
    }

    /// <summary>Determines whether a text is NAME, NAME:PORT, NAME=ADDRESS or NAME:PORT=ADDRESS.</summary>
    private static bool IsServer(string? text)
    {
        if (text is null || text.Contains(' ', StringComparison.Ordinal))
            return false;
        var parts = text.Split('=');
        if (parts.Length > 2 || (parts.Length == 2 && !IPAddress.TryParse(parts[1], out _)))
            return false;
        var name = parts[0].Split(':');
        return name.Length <= 2
            && (name.Length == 1 || (ushort.TryParse(name[1], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0))
            && Uri.CheckHostName(name[0]) == UriHostNameType.Dns && name[0].Contains('.', StringComparison.Ordinal);
    }
}
