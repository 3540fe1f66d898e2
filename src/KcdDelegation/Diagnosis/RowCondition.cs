using KcdDelegation.Kerberos;

namespace KcdDelegation.Diagnosis;

/// <summary>A condition of a row beyond the error's code, reason, status and exchange.</summary>
/// <param name="Description">The condition as it is printed in the headings of docs/troubleshooting.md.</param>
/// <param name="IsTrue">Whether an error satisfies the condition.</param>
internal sealed record RowCondition(string Description, Func<KerberosException, bool> IsTrue)
{
    public static readonly RowCondition UserIsAccount = new("if the user is the delegating account", error =>
        error.Account is { Length: > 0 } account && string.Equals(error.User?.Name, account, StringComparison.OrdinalIgnoreCase));

    public static readonly RowCondition RealmIsLowerCase = new("if the realm is in lower case", error => error.Realm.Any(char.IsLower));

    /// <summary>The realm that was asked is not the realm of the account.</summary>
    public static readonly RowCondition RealmIsForeign = new("at the KDC of another realm", error =>
        error.AccountRealm.Length > 0 && error.Realm.Length > 0
            && !string.Equals(error.Realm, error.AccountRealm, StringComparison.OrdinalIgnoreCase));

    public static readonly RowCondition ServiceClassIsHttps = new("for an SPN of the class HTTPS", error =>
        string.Equals(error.Service?.ServiceClass, "HTTPS", StringComparison.OrdinalIgnoreCase));

    public static readonly RowCondition ServiceHasPort = new("for an SPN with a port", error => error.Service?.Port is not null);

    public static readonly RowCondition KeyIsPassword = new("with a password", error => error.KeySource == AccountKeySource.Password);

    public static readonly RowCondition KeyIsKeytab = new("with a keytab", error => error.KeySource == AccountKeySource.Keytab);

    public static readonly RowCondition FileIsManagedPassword = new("for a file with msDS-ManagedPassword", error =>
        error.Detail.Contains("msDS-ManagedPassword", StringComparison.Ordinal));

    public static readonly RowCondition KeyIsManagedPassword =
        new("with a managed password", error => error.KeySource == AccountKeySource.ManagedPassword);

    public static readonly RowCondition NameIsAlias = new("for an alias of the account", error =>
        error.Detail.Contains(" is an alias of ", StringComparison.Ordinal));

    public static readonly RowCondition KeyTypeIsMissing = new("for a type without a key", error =>
        error.Detail.Contains("has no key of that type", StringComparison.Ordinal));

    public static RowCondition ManagedPasswordFails(ManagedPasswordFailure failure) => new($"for a managed password: {failure}", error =>
        error.InnerException is ManagedPasswordException read && read.Failure == failure);

    public static RowCondition KdcSays(string text) => new($"and the text {text}", error =>
        string.Equals(error.KdcText, text, StringComparison.OrdinalIgnoreCase));
}
