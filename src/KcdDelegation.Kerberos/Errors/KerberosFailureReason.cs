namespace KcdDelegation.Kerberos;

/// <summary>The known cause of a failure beyond the KDC's code. The client determines it where the KDC gives no reason.</summary>
public enum KerberosFailureReason
{
    /// <summary>The KDC answered with <see cref="KerberosException.Code"/>. The cause is not known further.</summary>
    KdcError,

    /// <summary>The KDC refused to delegate, and the user's evidence ticket was not forwardable. The account may not use protocol
    /// transition, or the user may not be delegated.</summary>
    EvidenceNotForwardable,

    /// <summary>No KDC of the realm is configured or found.</summary>
    KdcNotFound,

    /// <summary>No KDC could be reached, or none answered in time.</summary>
    KdcUnreachable,

    /// <summary>A reply is malformed or does not answer the request: it has another user, service, nonce, time or key.</summary>
    ReplyRejected,

    /// <summary>The account's keytab or password is missing, unreadable, or has no AES key for this account.</summary>
    KeyUnavailable,

    /// <summary>The KDC rejected the account's key recently. To avoid a lock-out, it is not tried again until the key changes.</summary>
    KeyRejected,

    /// <summary>The KDC uses an encryption type that is not implemented or not allowed, such as RC4.</summary>
    EncryptionTypeRefused,

    /// <summary>The ticket is for another account than the requested one (SAM account name or SID in the PAC).</summary>
    IdentityMismatch,

    /// <summary>A limit is reached: exchanges that wait for the realm's KDCs, realms in use, or presented tokens to check for replay.
    /// Temporary.</summary>
    Overloaded,

    /// <summary>A token from a client or service was rejected: integrity, time, replay, or another account.</summary>
    TokenRejected,

    /// <summary>The KDC refused to delegate, and the account's own TGT was not forwardable. The account is sensitive or in Protected Users,
    /// or <c>krbtgt</c> is marked as sensitive.</summary>
    AccountNotForwardable,

    /// <summary>The KDC does not accept an encrypted timestamp, the pre-authentication of this client. The detail lists what it
    /// offers.</summary>
    PreAuthenticationNotSupported,

    /// <summary>The account was migrated to a delegated managed service account and can no longer log on.</summary>
    AccountSuperseded,

    /// <summary>An authenticated reply shows that a configured name is not the KDC's, such as a NetBIOS name instead of a realm. The
    /// detail says the name to configure.</summary>
    NameMismatch,
}
