namespace KcdDelegation.Testing;

/// <summary>Whose habits a <see cref="TestRealm"/> has where KDCs differ.</summary>
public enum KdcKind
{
    /// <summary>Active Directory: names in any case, NTSTATUS beside errors, a service ticket of S4U2Self is forwardable if the account
    /// may use any protocol or has no delegation list (MS-SFU §3.2.5.1.2).</summary>
    Windows,

    /// <summary>MIT krb5: names as they are written, errors without NTSTATUS, EncTGSRepPart's tag in AS replies too.</summary>
    Mit,

    /// <summary>Heimdal, and so Samba: knows PA-FOR-USER only and sends no PA-S4U-X509-USER back, errors without NTSTATUS, forwardable
    /// only if the account may use any protocol.</summary>
    Heimdal,
}
