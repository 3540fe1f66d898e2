namespace KcdDelegation.Kerberos;

/// <summary>The step at which a request for a ticket failed.</summary>
public enum KerberosExchange
{
    /// <summary>Options, keytab, password or names, before any KDC was asked.</summary>
    Configuration,

    /// <summary>Finding the KDCs of a realm.</summary>
    KdcLookup,

    /// <summary>AS exchange of the service account (RFC 4120 §3.1).</summary>
    LogOn,

    /// <summary>Finding the realm of a user (MS-SFU §3.1.5.1.1.1).</summary>
    RealmDiscovery,

    /// <summary>A cross-realm TGS exchange (RFC 6806 §8).</summary>
    Referral,

    /// <summary>Protocol transition: a ticket to the account itself in the user's name (MS-SFU §3.1.5.1).</summary>
    S4U2Self,

    /// <summary>Constrained delegation: a ticket to the target in the user's name (MS-SFU §3.1.5.2).</summary>
    S4U2Proxy,

    /// <summary>Opening a token that a client presented (RFC 4120 §3.2.3).</summary>
    Accept,

    /// <summary>Making the AP-REQ, or checking the service's AP-REP (RFC 4120 §3.2.5).</summary>
    MutualAuthentication,
}
