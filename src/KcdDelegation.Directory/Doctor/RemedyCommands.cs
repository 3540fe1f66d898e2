using System.Text.RegularExpressions;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The commands in the text of a remedy, which are in backquotes after the name of their system.</summary>
internal static partial class RemedyCommands
{
    /// <summary>The start of commands that only show something.</summary>
    private static readonly string[] Readers =
    [
        "Get-", "Test-", "setspn -F", "setspn -X", "setspn -Q", "setspn -L", "ldbsearch", "ldapsearch", "kadmin.local getprinc",
        "kadmin -l get ", "samba-tool user show", "samba-tool delegation show", "samba-tool domain trust list", "samba-tool drs",
        "samba-tool service-account list", "klist", "kvno", "addent", "nslookup", "repadmin", "w32tm", "chronyc",
    ];

    /// <summary>Returns the commands that change something, in the order of the text.</summary>
    public static IReadOnlyList<DoctorCommand> From(string remedy) =>
    [
        .. Pattern().Matches(remedy)
            .Select(match => new DoctorCommand(
                match.Groups["system"] is { Success: true } system ? system.Value : null, match.Groups["text"].Value))
            .Where(command => command.Text.Contains(' ', StringComparison.Ordinal)
                && !Array.Exists(Readers, reader => command.Text.StartsWith(reader, StringComparison.Ordinal))),
    ];

    [GeneratedRegex(
        "(?:(?<system>Active Directory|Samba|MIT krb5|Heimdal)[^`;.]{0,24} )?`(?<text>[^`]+)`", RegexOptions.None,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
