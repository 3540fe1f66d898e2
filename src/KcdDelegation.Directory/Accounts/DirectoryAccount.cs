namespace KcdDelegation.DirectoryServices;

/// <summary>A user's account in the directory. Immutable.</summary>
/// <param name="DistinguishedName">The name of the entry.</param>
/// <param name="SamAccountName">The sAMAccountName.</param>
/// <param name="Realm">The realm of the account's domain, from the distinguished name.</param>
/// <param name="SecurityIdentifier">The SID, such as <c>S-1-5-21-…-1103</c>.</param>
/// <param name="UserPrincipalName">The userPrincipalName, or null if the account has none of its own.</param>
/// <param name="State">The reasons for which the account may not be delegated, when it was read.</param>
public sealed record DirectoryAccount(
    string DistinguishedName,
    string SamAccountName,
    string Realm,
    string SecurityIdentifier,
    string? UserPrincipalName,
    AccountState State);
