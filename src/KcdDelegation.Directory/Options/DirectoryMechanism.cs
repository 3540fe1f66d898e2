namespace KcdDelegation.DirectoryServices;

/// <summary>The SASL mechanism of a bind. Both use Kerberos and give the same protection.</summary>
public enum DirectoryMechanism
{
    /// <summary>GSSAPI (RFC 4752), which every directory server with Kerberos supports.</summary>
    Gssapi,

    /// <summary>GSS-SPNEGO (MS-SPNG) of Active Directory and Samba, with one exchange less. NTLM is never offered.</summary>
    GssSpnego,
}
