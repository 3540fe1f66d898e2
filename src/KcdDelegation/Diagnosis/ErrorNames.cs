using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Diagnosis;

/// <summary>The names of a failure, formatted for sentences and for commands that an administrator copies.</summary>
/// <remarks>In a command a name is enclosed in single quotes. A name with a character that a shell could interpret is replaced by a
/// placeholder.</remarks>
internal sealed class ErrorNames(KerberosException error)
{
    public string User { get; } = error.User is { } user ? $"the user {PrintableText.From(user.ToString())}" : "the user";

    public string Account { get; } = error.Account is { } account ? $"the account {PrintableText.From(account)}" : "the delegating account";

    public string Service { get; } = error.Service is { } service ? $"the service {PrintableText.From(service.ToString())}" : "the service";

    public string Realm { get; } = error.Realm.Length > 0 ? $"the realm {PrintableText.From(error.Realm)}" : "the realm";

    public string RealmDns => IsKnown(error.Realm) ? error.Realm.ToLowerInvariant() : "REALM";

    /// <summary>The DNS name of the account's domain.</summary>
    public string AccountDns => IsKnown(error.AccountRealm) ? error.AccountRealm.ToLowerInvariant()
        : Steps.LoggingOn.Contains(error.Exchange) && IsKnown(error.Realm) ? RealmDns
        : "ACCOUNT-DOMAIN";

    /// <summary>The DNS name of the user's domain. The realm that was asked is the user's while the user is looked for.</summary>
    public string UserDns => error.User?.Realm is { } realm && IsKnown(realm) ? realm.ToLowerInvariant()
        : (Steps.FindingUser.Contains(error.Exchange) || error.Realm == error.AccountRealm) && IsKnown(error.Realm) ? RealmDns
        : "USER-DOMAIN";

    /// <summary>The DNS name of the domain of the account that runs the target. The holder of an SPN may be in any domain of the
    /// forest.</summary>
    public string TargetDns => error.Service?.Realm is { } realm && IsKnown(realm) ? realm.ToLowerInvariant() : "TARGET-DOMAIN";

    public DirectoryEntry AccountEntry => new(AccountQuoted, AccountDns, AccountCmdlet);

    public DirectoryEntry UserEntry => new(UserAccountQuoted, UserDns, "ADUser");

    /// <summary>The account that runs the target. Its name is not known, except on MIT krb5 and Heimdal, where it is the principal of the
    /// SPN.</summary>
    public DirectoryEntry TargetEntry => new(
        Software is KdcSoftware.MitKrb5 or KdcSoftware.Heimdal ? ServiceQuoted : "TARGET", TargetDns, "ADUser");

    /// <summary>The realm in upper case, for messages about its spelling.</summary>
    public string RealmUpperCase => IsKnown(error.Realm) ? error.Realm.ToUpperInvariant() : "REALM";

    public KdcSoftware Software => error.KdcSoftware;

    public AccountKeySource? KeySource => error.KeySource;

    /// <summary>The service with the class HTTP and without its port.</summary>
    public string WebServiceQuoted => Quote(error.Service is { } service ? $"HTTP/{service.Host}" : null, "SPN");

    public string AccountQuoted => Quote(error.Account, "ACCOUNT");

    public string ServiceQuoted => Quote(ServiceName, "SPN");

    public string UserQuoted => Quote(error.User?.Name, "USER");

    /// <summary>The user for tools that do not accept a UPN. A placeholder if only the UPN is known.</summary>
    public string UserAccountQuoted => error.User?.Type == PrincipalNameType.Enterprise ? "'<sAMAccountName>'" : UserQuoted;

    /// <summary>The account as a principal with its realm.</summary>
    public string AccountInRealm => $"{Plain(error.Account, "ACCOUNT")}@{Plain(AccountRealm, "REALM")}";

    /// <summary>The alias under which another realm knows the account. A slash in it is escaped for LDAP and for printf.</summary>
    public string AccountInForeignRealm => $"{AccountInRealm.Replace("/", @"\\/", StringComparison.Ordinal)}@{Plain(error.Realm, "REALM")}";

    /// <summary>The service as a principal with its realm.</summary>
    public string ServiceInRealm => $"{Plain(ServiceName, "SPN")}@{Plain(error.Service?.Realm ?? error.Realm, "REALM")}";

    /// <summary>The user principal name as an alias in the database of MIT krb5, with its realm.</summary>
    public string UserAliasInRealm => $"{Plain(error.User?.Name, "USER")}@{Plain(error.User?.Realm ?? error.Realm, "REALM")}";

    /// <summary>The suffix of the PowerShell cmdlets for the account. Names of computers end with a dollar sign.</summary>
    public string AccountCmdlet => KeySource == AccountKeySource.ManagedPassword ? "ADServiceAccount"
        : AccountIsComputer ? "ADComputer" : "ADUser";

    public bool AccountIsComputer => error.Account?.EndsWith('$') == true;

    /// <summary>The command that finds the user by the delegated name.</summary>
    public string GetUser => error.User?.Type == PrincipalNameType.Enterprise
        ? $"Get-ADUser -Filter \"UserPrincipalName -eq {UserQuoted}\" -Server {UserDns}"
        : $"Get-ADUser -Identity {UserQuoted} -Server {UserDns}";

    private string AccountRealm => error.AccountRealm.Length > 0 ? error.AccountRealm : error.Realm;

    /// <summary>The service without its realm. Tools such as setspn treat a realm as a part of the name.</summary>
    private string? ServiceName => error.Service is not { } service ? null
        : service.Realm is { } realm ? service.ToString()[..^(realm.Length + 1)]
        : service.ToString();

    private static bool IsKnown(string realm) => realm.Length > 0 && IsPlain(realm);

    /// <summary>Returns a name for a command, or the placeholder where a shell could interpret the name.</summary>
    public static string Quote(string? name, string placeholder) => $"'{Plain(name, placeholder)}'";

    private static string Plain(string? name, string placeholder) => name is { Length: > 0 } && IsPlain(name) ? name : $"<{placeholder}>";

    // Letters of any script are literal between single quotes. The quotation marks that PowerShell accepts are not letters.
    private static bool IsPlain(string name) =>
        name.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or '@' or '/' or ':' or '$');
}
