using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Files;

namespace KcdDelegation.Testing.Accounts;

/// <summary>The contents of an account's keytab: its newest AES keys, under its name and its service principal names.</summary>
internal static class AccountKeytab
{
    public static IReadOnlyList<KeytabEntry> CreateEntries(string realm, DirectoryEntry account, DateTimeOffset timestamp)
    {
        var version = account.Keys.Current;
        var entries =
            from name in account.ServicePrincipalNames.Prepend(account.Name)
            from type in account.Keys.Types
            where EncryptionProfile.TryGet(type, out _)
            let key = version.GetKey(type)
            select new KeytabEntry(name.Split('/'), realm, (int)PrincipalNameType.Principal, timestamp, version.Number, (int)type, key);
        return [.. entries];
    }
}
