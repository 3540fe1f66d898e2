namespace KcdDelegation.Kerberos;

/// <summary>The step at which a request for a ticket failed.</summary>
public enum KerberosExchange
{
    /// <summary>Validation of options, keytab, password or names, before a KDC is contacted.</summary>
    Configuration,

    /// <summary>The lookup of a realm's KDCs.</summary>
    KdcLookup,

    /// <summary>The AS exchange of the service account (RFC 4120 §3.1).</summary>
    LogOn,

    /// <summary>The lookup of a user's realm (MS-SFU §3.1.5.1.1.1).</summary>
    RealmDiscovery,

    /// <summary>A TGS exchange of the account itself: a ticket for another realm (RFC 6806 §8), or its own ticket to a service.</summary>
    Referral,

    /// <summary>Protocol transition: a ticket to the account itself, for the user (MS-SFU §3.1.5.1).</summary>
    S4U2Self,

    /// <summary>Constrained delegation: a ticket to the target, for the user (MS-SFU §3.1.5.2).</summary>
    S4U2Proxy,

    /// <summary>The validation of a token that a client presented (RFC 4120 §3.2.3).</summary>
    Accept,

    /// <summary>The creation of the AP-REQ, or the validation of the service's AP-REP (RFC 4120 §3.2.5).</summary>
    MutualAuthentication,

    /// <summary>The change of the account's own password at the password server (RFC 3244).</summary>
    PasswordChange,
}
