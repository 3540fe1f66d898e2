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
        Description = "The target's service principal name, such as HTTP/web.contoso.com.",
        HelpName = "SPN",
        Required = true,
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
        Description = "The user's realm; by default the account's, for enterprise names found by asking.",
        HelpName = "REALM",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _user, _spn, _nameType, _userRealm })
            command.Add(option);
    }

    public ServicePrincipalName ReadService(ParseResult parsed) => parsed.GetRequiredValue(_spn);

    /// <exception cref="UsageException">The name is none.</exception>
    public KerberosPrincipal ReadUser(ParseResult parsed, string accountRealm)
    {
        var name = parsed.GetRequiredValue(_user);
        var realm = parsed.GetValue(_userRealm);
        var hasSuffix = name.Contains('@', StringComparison.Ordinal);
        var type = parsed.GetValue(_nameType) ?? (hasSuffix ? NameType.Enterprise : NameType.Principal);
        if (type == NameType.Principal && hasSuffix)
            throw new UsageException("An account's name has no @: give --user NAME --user-realm REALM, or --name-type enterprise.");
        try
        {
            return type == NameType.Enterprise ? KerberosPrincipal.Enterprise(name, realm) : KerberosPrincipal.Principal(name, realm ?? accountRealm);
        }
        catch (ArgumentException refused)
        {
            throw new UsageException($"--user or --user-realm: {refused.Message}", refused);
        }
    }
}
