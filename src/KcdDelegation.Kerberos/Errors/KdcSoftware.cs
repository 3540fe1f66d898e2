namespace KcdDelegation.Kerberos;

/// <summary>The implementation of a KDC, as far as its answers show it. Used only to select the commands of a remedy.</summary>
public enum KdcSoftware
{
    /// <summary>The answers do not show the implementation.</summary>
    Unknown,

    /// <summary>Active Directory or Samba: the KDC sends NTSTATUS values (MS-KILE §2.2.1).</summary>
    DomainController,

    /// <summary>A Windows domain controller.</summary>
    ActiveDirectory,

    /// <summary>Samba as a domain controller.</summary>
    Samba,

    /// <summary>MIT krb5.</summary>
    MitKrb5,

    /// <summary>Heimdal.</summary>
    Heimdal,
}
