namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The key usage numbers, which enter key derivation (RFC 4120 §7.5.1, RFC 4121 §2, MS-SFU §2.2.1, §2.2.2).</summary>
internal enum KeyUsage
{
    EncryptedTimestamp = 1,
    Ticket = 2,
    AsReply = 3,
    TgsRequestBodyChecksum = 6,
    TgsRequestAuthenticator = 7,
    TgsReplySessionKey = 8,
    TgsReplySubkey = 9,
    ApRequestChecksum = 10,
    ApRequestAuthenticator = 11,
    ApReply = 12,
    KrbPrivate = 13,
    PaForUser = 17,

    /// <summary>KG-USAGE-ACCEPTOR-SEAL: wrap tokens of the acceptor (RFC 4121 §2).</summary>
    AcceptorSeal = 22,

    /// <summary>KG-USAGE-ACCEPTOR-SIGN: MIC tokens of the acceptor (RFC 4121 §2).</summary>
    AcceptorSign = 23,

    /// <summary>KG-USAGE-INITIATOR-SEAL: wrap tokens of the initiator (RFC 4121 §2).</summary>
    InitiatorSeal = 24,

    /// <summary>KG-USAGE-INITIATOR-SIGN: MIC tokens of the initiator (RFC 4121 §2).</summary>
    InitiatorSign = 25,
    PaS4UX509UserRequest = 26,
    PaS4UX509UserReply = 27,
}
