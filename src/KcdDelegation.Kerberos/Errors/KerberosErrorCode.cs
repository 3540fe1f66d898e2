namespace KcdDelegation.Kerberos;

/// <summary>The error codes of RFC 4120 §7.5.9 and, for <see cref="WrongRealm"/>, RFC 6806. Any other value from a KDC is kept as a
/// number.</summary>
public enum KerberosErrorCode
{
    /// <summary>KDC_ERR_NAME_EXP: the client's entry has expired.</summary>
    ClientExpired = 1,

    /// <summary>KDC_ERR_SERVICE_EXP: the service's entry has expired.</summary>
    ServiceExpired = 2,

    /// <summary>KDC_ERR_C_PRINCIPAL_UNKNOWN.</summary>
    ClientPrincipalUnknown = 6,

    /// <summary>KDC_ERR_S_PRINCIPAL_UNKNOWN.</summary>
    ServicePrincipalUnknown = 7,

    /// <summary>KDC_ERR_PRINCIPAL_NOT_UNIQUE.</summary>
    PrincipalNotUnique = 8,

    /// <summary>KDC_ERR_NULL_KEY: the account has no key.</summary>
    NullKey = 9,

    /// <summary>KDC_ERR_POLICY.</summary>
    Policy = 12,

    /// <summary>KDC_ERR_BADOPTION. In delegation it means that the KDC does not allow it.</summary>
    BadOption = 13,

    /// <summary>KDC_ERR_ETYPE_NOSUPP.</summary>
    EncryptionTypeNotSupported = 14,

    /// <summary>KDC_ERR_PADATA_TYPE_NOSUPP.</summary>
    PaDataTypeNotSupported = 16,

    /// <summary>KDC_ERR_CLIENT_REVOKED: the account is disabled, locked or expired.</summary>
    ClientRevoked = 18,

    /// <summary>KDC_ERR_SERVICE_REVOKED: the service's account is disabled or locked.</summary>
    ServiceRevoked = 19,

    /// <summary>KDC_ERR_TGT_REVOKED.</summary>
    TgtRevoked = 20,

    /// <summary>KDC_ERR_KEY_EXPIRED: the password has expired.</summary>
    KeyExpired = 23,

    /// <summary>KDC_ERR_PREAUTH_FAILED: the key is wrong.</summary>
    PreAuthenticationFailed = 24,

    /// <summary>KDC_ERR_PREAUTH_REQUIRED.</summary>
    PreAuthenticationRequired = 25,

    /// <summary>KDC_ERR_SERVER_NOMATCH.</summary>
    ServerNoMatch = 26,

    /// <summary>KDC_ERR_MUST_USE_USER2USER.</summary>
    MustUseUserToUser = 27,

    /// <summary>KDC_ERR_PATH_NOT_ACCEPTED: the trust path was refused.</summary>
    PathNotAccepted = 28,

    /// <summary>KDC_ERR_SVC_UNAVAILABLE.</summary>
    ServiceUnavailable = 29,

    /// <summary>KRB_AP_ERR_BAD_INTEGRITY.</summary>
    BadIntegrity = 31,

    /// <summary>KRB_AP_ERR_TKT_EXPIRED.</summary>
    TicketExpired = 32,

    /// <summary>KRB_AP_ERR_TKT_NYV.</summary>
    TicketNotYetValid = 33,

    /// <summary>KRB_AP_ERR_REPEAT: a replay.</summary>
    Repeat = 34,

    /// <summary>KRB_AP_ERR_NOT_US.</summary>
    NotUs = 35,

    /// <summary>KRB_AP_ERR_BADMATCH.</summary>
    BadMatch = 36,

    /// <summary>KRB_AP_ERR_SKEW: the clocks differ by too much.</summary>
    Skew = 37,

    /// <summary>KRB_AP_ERR_MODIFIED.</summary>
    Modified = 41,

    /// <summary>KRB_AP_ERR_BADKEYVER.</summary>
    BadKeyVersion = 44,

    /// <summary>KRB_AP_ERR_NOKEY.</summary>
    NoKey = 45,

    /// <summary>KRB_AP_ERR_INAPP_CKSUM.</summary>
    InappropriateChecksum = 50,

    /// <summary>KRB_ERR_RESPONSE_TOO_BIG: the same request is sent again over TCP.</summary>
    ResponseTooBig = 52,

    /// <summary>KRB_ERR_GENERIC.</summary>
    Generic = 60,

    /// <summary>KRB_ERR_FIELD_TOOLONG: a field of the request is longer than the KDC accepts.</summary>
    FieldTooLong = 61,

    /// <summary>KDC_ERR_WRONG_REALM (RFC 6806 §6): a referral. It is not authenticated.</summary>
    WrongRealm = 68,
}
