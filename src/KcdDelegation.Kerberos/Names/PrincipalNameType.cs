namespace KcdDelegation.Kerberos;

/// <summary>How a KDC reads a name (RFC 4120 §6.2).</summary>
public enum PrincipalNameType
{
    /// <summary>NT-PRINCIPAL: the name of an account in a known realm, in Active Directory the sAMAccountName.</summary>
    Principal = 1,

    /// <summary>NT-SRV-INST: a service and its instance, such as <c>HTTP/web.contoso.com</c> or <c>krbtgt/CONTOSO.COM</c>.</summary>
    ServiceInstance = 2,

    /// <summary>NT-ENTERPRISE (RFC 6806 §5): a user principal name in one piece, looked up by the KDC.</summary>
    Enterprise = 10,
}
