namespace KcdDelegation.Testing;

/// <summary>The KDC whose behavior a <see cref="TestRealm"/> follows where KDCs differ.</summary>
public enum KdcKind
{
    /// <summary>Active Directory: names in any case, errors with NTSTATUS. A ticket from S4U2Self is forwardable if the account may use any
    /// protocol or has no delegation list (MS-SFU §3.2.5.1.2).</summary>
    Windows,

    /// <summary>MIT krb5: case-sensitive names, errors without NTSTATUS, the tag of EncTGSRepPart in AS replies too.</summary>
    Mit,

    /// <summary>Heimdal and Samba: PA-FOR-USER only, no PA-S4U-X509-USER in replies, errors without NTSTATUS. A ticket from S4U2Self is
    /// forwardable only if the account may use any protocol.</summary>
    Heimdal,
}
