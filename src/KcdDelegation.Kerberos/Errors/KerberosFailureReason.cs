namespace KcdDelegation.Kerberos;

/// <summary>What is known of the cause beyond the KDC's code; where a KDC gives no reason, the client works it out.</summary>
public enum KerberosFailureReason
{
    /// <summary>The KDC answered with <see cref="KerberosException.Code"/>, and nothing more is known.</summary>
    KdcError,

    /// <summary>The KDC refused to delegate, and the user's evidence ticket was not forwardable: the account may not use
    /// protocol transition, or the user may not be delegated.</summary>
    EvidenceNotForwardable,

    /// <summary>No KDC of the realm is known: none configured, none found.</summary>
    KdcNotFound,

    /// <summary>No KDC could be reached, or none answered in time.</summary>
    KdcUnreachable,

    /// <summary>A reply was malformed, or is not the answer to the request: another user, service, nonce, time or key.</summary>
    ReplyRejected,

    /// <summary>The account's keytab or password is missing, unreadable or has no AES key for this account.</summary>
    KeyUnavailable,

    /// <summary>The KDC rejected the account's key a moment ago; it is not tried again before the key changes, to avoid a lock-out.</summary>
    KeyRejected,

    /// <summary>The KDC uses an encryption type that is not implemented or not allowed, such as RC4.</summary>
    EncryptionTypeRefused,

    /// <summary>The ticket names another account than the one that was asked for (SAM account name or SID in the PAC).</summary>
    IdentityMismatch,

    /// <summary>Too many exchanges are waiting for the KDCs of the realm, too many realms are being asked, or too many presented tokens are to
    /// be told from replays. Passes by itself.</summary>
    Overloaded,

    /// <summary>A token that a client or service presented was refused: integrity, time, replay, or not for this account.</summary>
    TokenRejected,
}
