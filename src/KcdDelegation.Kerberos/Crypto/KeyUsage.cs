namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The key usage numbers, which enter key derivation (RFC 4120 §7.5.1, MS-SFU §2.2.1, §2.2.2).</summary>
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
    PaForUser = 17,
    PaS4UX509UserRequest = 26,
    PaS4UX509UserReply = 27,
}
