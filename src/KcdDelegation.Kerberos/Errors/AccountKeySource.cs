namespace KcdDelegation.Kerberos;

/// <summary>The source of the delegating account's long-term keys.</summary>
public enum AccountKeySource
{
    /// <summary>A keytab.</summary>
    Keytab,

    /// <summary>A password, given directly or in a file.</summary>
    Password,

    /// <summary>The password of a group managed service account, read from the directory.</summary>
    ManagedPassword,
}
