using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Pac;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>The contents of an account's PAC.</summary>
internal static class PacBuilder
{
    public static PacIdentity Create(RealmState realm, DirectoryEntry account, PrincipalName name, DateTimeOffset authTime) =>
        new(name.ToString(), authTime, account.UserPrincipalName
            ?? $"{account.Name}@{realm.Name}", realm.Name, account.Name, account.Sid.ToBytes())
        {
            NameIsImplied = account.UserPrincipalName is null,
        };
}
