using System.CommandLine;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Tool.Settings;

/// <summary>The options that say whom to act as, and towards what.</summary>
internal sealed class TargetOptions
{
    private enum NameType
    {
        Enterprise,
        Principal,
    }

    private readonly Option<string> _user = new("--user")
    {
        Description = "Whom to act as: a user principal name, or an account's name.",
        HelpName = "USER",
        Required = true,
    };

    private readonly Option<ServicePrincipalName> _spn = new Option<ServicePrincipalName>("--spn")
    {
        Description = "The target's service principal name, such as HTTP/web.contoso.com; by default that of --app.",
        HelpName = "SPN",
    }.ParsedBy(text => ServicePrincipalName.Parse(text));

    private readonly Option<NameType?> _nameType = new Option<NameType?>("--name-type")
    {
        Description = "How the KDC shall read USER; by default enterprise (a user principal name) if it has an @, else principal.",
        HelpName = "enterprise|principal",
    }.ParsedBy(text => (NameType?)(text switch
    {
        "enterprise" => NameType.Enterprise,
        "principal" => NameType.Principal,
        _ => throw new FormatException("It is enterprise or principal."),
    }));

    private readonly Option<string> _userRealm = new("--user-realm")
    {
        Description = "The user's realm; by default that of --app or else the account's, for enterprise names found by their suffix or by asking.",
        HelpName = "REALM",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _user, _spn, _nameType, _userRealm })
            command.Add(option);
    }

    /// <exception cref="UsageException">Nothing names it, or the settings do so wrongly.</exception>
    public ServicePrincipalName ReadService(ParseResult parsed, DelegationSettings settings)
    {
        if (parsed.GetValue(_spn) is { } given)
            return given;
        if (settings.Application is not { } application)
            throw new UsageException("Nothing names the target: give --spn SPN, or --app NAME with --config FILE.");
        return ServicePrincipalName.TryParse(application.Options.ServicePrincipalName, provider: null, out var service)
            ? service
            : throw new UsageException($"{application.Key("ServicePrincipalName")} is no service principal name, which looks like HTTP/web.contoso.com: correct it, or give --spn SPN.");
    }

    /// <exception cref="UsageException">The name is none.</exception>
    public KerberosPrincipal ReadUser(ParseResult parsed, DelegationSettings settings)
    {
        var name = parsed.GetRequiredValue(_user);
        var realm = parsed.GetValue(_userRealm);
        var hasSuffix = name.Contains('@', StringComparison.Ordinal);
        var type = parsed.GetValue(_nameType) ?? (hasSuffix ? NameType.Enterprise : NameType.Principal);
        if (type == NameType.Principal && hasSuffix)
            throw new UsageException("An account's name has no @: give --user NAME --user-realm REALM, or --name-type enterprise.");
        try
        {
            return type == NameType.Enterprise
                ? KerberosPrincipal.Enterprise(name, realm ?? settings.SuffixRealms.GetValueOrDefault(name[(name.LastIndexOf('@') + 1)..]))
                : KerberosPrincipal.Principal(name, realm ?? settings.Application?.Options.UserRealm ?? settings.Realm);
        }
        catch (ArgumentException refused)
        {
            throw new UsageException($"--user or --user-realm: {refused.Message}", refused);
        }
    }
}
