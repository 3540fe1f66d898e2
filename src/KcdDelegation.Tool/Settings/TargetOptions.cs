using System.CommandLine;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Tool.Settings;

/// <summary>The options for the delegated user and the target service.</summary>
internal sealed class TargetOptions
{
    private enum NameType
    {
        Enterprise,
        Principal,
    }

    private readonly Option<string> _user = new("--user")
    {
        Description = "The user to act as: a user principal name or an account name. Required.",
        HelpName = "USER",
    };

    private readonly Option<ServicePrincipalName> _spn = new Option<ServicePrincipalName>("--spn")
    {
        Description = "The target's service principal name, such as HTTP/web.contoso.com. Default: the SPN of --app.",
        HelpName = "SPN",
    }.WithParser(ParseService);

    private readonly Option<NameType?> _nameType = new Option<NameType?>("--name-type")
    {
        Description = "The name type of USER. Default: enterprise (a user principal name) if it contains @, otherwise principal.",
        HelpName = "enterprise|principal",
    }.WithParser(text => (NameType?)(text switch
    {
        "enterprise" => NameType.Enterprise,
        "principal" => NameType.Principal,
        _ => throw new FormatException("The value must be enterprise or principal."),
    }));

    private readonly Option<string> _userRealm = new("--user-realm")
    {
        Description = "The user's realm. Default: the user realm of --app, or the account's realm; "
            + "the realm of an enterprise name is found by its suffix or by asking the KDCs.",
        HelpName = "REALM",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _user, _spn, _nameType, _userRealm })
            command.Add(option);
    }

    /// <summary>Adds the required values that are not specified.</summary>
    public void AddMissing(ParseResult parsed, DelegationSettings settings, MissingOptions missing)
    {
        if (parsed.GetValue(_user) is null)
            missing.Add("the user", "--user USER");
        if (parsed.GetValue(_spn) is null && settings.Application is null)
            missing.Add("the target", "--spn SPN, or --app NAME with --config FILE");
    }

    /// <summary>Returns the name of the option, or that of the application, which has been checked with the other settings.</summary>
    public ServicePrincipalName ReadService(ParseResult parsed, DelegationSettings settings) =>
        parsed.GetValue(_spn) ?? ServicePrincipalName.Parse(settings.Application!.Options.ServicePrincipalName!);

    /// <summary>Parses <c>--spn</c>. As in the settings, a ticket for the KDC itself is never requested.</summary>
    private static ServicePrincipalName ParseService(string text)
    {
        var service = ServicePrincipalName.Parse(text);
        return !ServiceNames.BelongsToKdc(service)
            ? service
            : throw new FormatException("The service principal name belongs to the KDC itself. Specify the one of a backend.");
    }

    /// <exception cref="UsageException">The name is not valid.</exception>
    public KerberosPrincipal ReadUser(ParseResult parsed, DelegationSettings settings)
    {
        var name = parsed.GetRequiredValue(_user);
        var realm = parsed.GetValue(_userRealm);
        var hasSuffix = name.Contains('@', StringComparison.Ordinal);
        var type = parsed.GetValue(_nameType) ?? (hasSuffix ? NameType.Enterprise : NameType.Principal);
        if (type == NameType.Principal && hasSuffix)
            throw new UsageException("--user: An account name contains no @. Specify --user NAME --user-realm REALM, or --name-type "
                + "enterprise.");
        try
        {
            return type == NameType.Enterprise
                ? KerberosPrincipal.Enterprise(name, realm ?? settings.SuffixRealms.GetValueOrDefault(name[(name.LastIndexOf('@') + 1)..]))
                : KerberosPrincipal.Principal(name, realm ?? settings.Application?.Options.UserRealm ?? settings.Realm);
        }
        catch (ArgumentException refused)
        {
            throw UsageException.FromArgument(refused, "--user or --user-realm: ");
        }
    }
}
