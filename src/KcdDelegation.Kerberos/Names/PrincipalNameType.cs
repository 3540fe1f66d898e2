namespace KcdDelegation.Kerberos;

/// <summary>The name types of RFC 4120 §6.2, which tell a KDC how to interpret a name.</summary>
public enum PrincipalNameType
{
    /// <summary>NT-PRINCIPAL: an account name in a known realm. In Active Directory this is the sAMAccountName.</summary>
    Principal = 1,

    /// <summary>NT-SRV-INST: a service and its instance, such as <c>HTTP/web.contoso.com</c> or <c>krbtgt/CONTOSO.COM</c>.</summary>
    ServiceInstance = 2,

    /// <summary>NT-ENTERPRISE (RFC 6806 §5): a user principal name in one component, which the KDC looks up.</summary>
    Enterprise = 10,
}
