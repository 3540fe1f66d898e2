namespace KcdDelegation.DirectoryServices;

/// <summary>The reasons for which an account may not be delegated. Several may apply.</summary>
[Flags]
public enum AccountState
{
    /// <summary>The account may be delegated.</summary>
    Usable = 0,

    /// <summary>The account is disabled (ADS_UF_ACCOUNTDISABLE).</summary>
    Disabled = 1,

    /// <summary>The account has expired (accountExpires).</summary>
    Expired = 2,

    /// <summary>The account is locked after wrong passwords.</summary>
    Locked = 4,

    /// <summary>"Account is sensitive and cannot be delegated" (ADS_UF_NOT_DELEGATED).</summary>
    Sensitive = 8,

    /// <summary>The account is a member of Protected Users, directly or through groups.</summary>
    ProtectedUser = 16,
}
