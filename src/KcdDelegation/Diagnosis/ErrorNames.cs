using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Diagnosis;

/// <summary>The names of a failure as they go into sentences and into command lines that an administrator will copy. In a command a name
/// stands between single quotes, and only if no shell could read more into it; else a placeholder stands there.</summary>
internal sealed class ErrorNames(KerberosException error)
{
    public string User { get; } = error.User is { } user ? $"the user {PrintableText.From(user.ToString())}" : "the user";

    public string Account { get; } = error.Account is { } account ? $"the account {PrintableText.From(account)}" : "the delegating account";

    public string Service { get; } = error.Service is { } service ? $"the service {PrintableText.From(service.ToString())}" : "the service";

    public string Realm { get; } = error.Realm.Length > 0 ? $"the realm {PrintableText.From(error.Realm)}" : "the realm";

    public string RealmDns => error.Realm.Length > 0 && IsPlain(error.Realm) ? error.Realm.ToLowerInvariant() : "REALM";

    public string AccountQuoted => Quoted(error.Account, "ACCOUNT");

    public string ServiceQuoted => Quoted(ServiceName, "SPN");

    public string UserQuoted => Quoted(error.User?.Name, "USER");

    /// <summary>What tools take that know no UPN: of a user who is known by UPN only, a placeholder.</summary>
    public string UserAccountQuoted => error.User?.Type == PrincipalNameType.Enterprise ? "'<sAMAccountName>'" : UserQuoted;

    /// <summary>The account as MIT's database has it, with its realm.</summary>
    public string AccountInRealm => $"{Plain(error.Account, "ACCOUNT")}@{Plain(error.Realm, "REALM")}";

    /// <summary>The service as MIT's database has it, with its realm.</summary>
    public string ServiceInRealm => $"{Plain(ServiceName, "SPN")}@{Plain(error.Service?.Realm ?? error.Realm, "REALM")}";

    /// <summary>The user principal name as MIT's database would have it as an alias.</summary>
    public string UserAliasInRealm => $"{Plain(error.User?.Name, "USER")}@{Plain(error.User?.Realm ?? error.Realm, "REALM")}";

    /// <summary>The class of accounts decides about the cmdlet; computers' names end with a dollar sign.</summary>
    public string AccountCmdlet => AccountIsComputer ? "ADComputer" : "ADUser";

    public bool AccountIsComputer => error.Account?.EndsWith('$') == true;

    /// <summary>Looks the user up by the kind of name that was delegated.</summary>
    public string GetUser => error.User?.Type == PrincipalNameType.Enterprise
        ? $"Get-ADUser -Filter \"UserPrincipalName -eq {UserQuoted}\""
        : $"Get-ADUser -Identity {UserQuoted}";

    /// <summary>Registered names have no realm: setspn and samba-tool would take it for a part of the name.</summary>
    private string? ServiceName => error.Service is not { } service ? null
        : service.Realm is { } realm ? service.ToString()[..^(realm.Length + 1)]
        : service.ToString();

    private static string Quoted(string? name, string placeholder) => $"'{Plain(name, placeholder)}'";

    private static string Plain(string? name, string placeholder) => name is { Length: > 0 } && IsPlain(name) ? name : $"<{placeholder}>";

    // Letters of any script: between single quotes no shell sees more in them. What PowerShell takes for a quotation mark is no letter.
    private static bool IsPlain(string name) => name.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or '@' or '/' or ':' or '$');
}
