using KcdDelegation.Kerberos;

namespace KcdDelegation.Diagnosis;

/// <summary>The names of a failure as they go into sentences and into command lines that an administrator will copy. In a command a name
/// stands between single quotes, and only if no shell could read more into it; else a placeholder stands there.</summary>
internal sealed class ErrorNames(KerberosException error)
{
    public string User { get; } = error.User is { } user ? PrintableText.Of(user.ToString()) : "the user";

    public string Account { get; } = error.Account is { } account ? PrintableText.Of(account) : "the delegating account";

    public string Service { get; } = error.Service is { } service ? PrintableText.Of(service.ToString()) : "the service";

    public string Realm { get; } = error.Realm.Length > 0 ? PrintableText.Of(error.Realm) : "the realm";

    public string RealmDns => error.Realm.Length > 0 && IsPlain(error.Realm) ? error.Realm.ToLowerInvariant() : "REALM";

    public string AccountQuoted => Quoted(error.Account, "ACCOUNT");

    public string ServiceQuoted => Quoted(error.Service?.ToString(), "SPN");

    public string UserQuoted => Quoted(error.User?.Name, "USER");

    /// <summary>The class of accounts decides about the cmdlet; computers' names end with a dollar sign.</summary>
    public string AccountCmdlet => error.Account?.EndsWith('$') == true ? "ADComputer" : "ADUser";

    /// <summary>Looks the user up by the kind of name that was delegated.</summary>
    public string GetUser => error.User?.Type == PrincipalNameType.Enterprise
        ? $"Get-ADUser -Filter \"UserPrincipalName -eq {UserQuoted}\""
        : $"Get-ADUser -Identity {UserQuoted}";

    public string Detail { get; } = PrintableText.Of(error.Detail);

    private static string Quoted(string? name, string placeholder) => name is not null && IsPlain(name) ? $"'{name}'" : $"'<{placeholder}>'";

    private static bool IsPlain(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '@' or '/' or ':' or '$');
}
