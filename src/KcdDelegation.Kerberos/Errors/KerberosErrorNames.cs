using System.Globalization;

namespace KcdDelegation.Kerberos.Errors;

/// <summary>The names of RFC 4120 §7.5.9, which administrators search for.</summary>
internal static class KerberosErrorNames
{
    public static string Get(KerberosErrorCode code) => code switch
    {
        KerberosErrorCode.ClientExpired => "KDC_ERR_NAME_EXP",
        KerberosErrorCode.ServiceExpired => "KDC_ERR_SERVICE_EXP",
        KerberosErrorCode.ClientPrincipalUnknown => "KDC_ERR_C_PRINCIPAL_UNKNOWN",
        KerberosErrorCode.ServicePrincipalUnknown => "KDC_ERR_S_PRINCIPAL_UNKNOWN",
        KerberosErrorCode.PrincipalNotUnique => "KDC_ERR_PRINCIPAL_NOT_UNIQUE",
        KerberosErrorCode.NullKey => "KDC_ERR_NULL_KEY",
        KerberosErrorCode.Policy => "KDC_ERR_POLICY",
        KerberosErrorCode.BadOption => "KDC_ERR_BADOPTION",
        KerberosErrorCode.EncryptionTypeNotSupported => "KDC_ERR_ETYPE_NOSUPP",
        KerberosErrorCode.PaDataTypeNotSupported => "KDC_ERR_PADATA_TYPE_NOSUPP",
        KerberosErrorCode.ClientRevoked => "KDC_ERR_CLIENT_REVOKED",
        KerberosErrorCode.ServiceRevoked => "KDC_ERR_SERVICE_REVOKED",
        KerberosErrorCode.TgtRevoked => "KDC_ERR_TGT_REVOKED",
        KerberosErrorCode.KeyExpired => "KDC_ERR_KEY_EXPIRED",
        KerberosErrorCode.PreAuthenticationFailed => "KDC_ERR_PREAUTH_FAILED",
        KerberosErrorCode.PreAuthenticationRequired => "KDC_ERR_PREAUTH_REQUIRED",
        KerberosErrorCode.ServerNoMatch => "KDC_ERR_SERVER_NOMATCH",
        KerberosErrorCode.MustUseUserToUser => "KDC_ERR_MUST_USE_USER2USER",
        KerberosErrorCode.PathNotAccepted => "KDC_ERR_PATH_NOT_ACCEPTED",
        KerberosErrorCode.ServiceUnavailable => "KDC_ERR_SVC_UNAVAILABLE",
        KerberosErrorCode.BadIntegrity => "KRB_AP_ERR_BAD_INTEGRITY",
        KerberosErrorCode.TicketExpired => "KRB_AP_ERR_TKT_EXPIRED",
        KerberosErrorCode.TicketNotYetValid => "KRB_AP_ERR_TKT_NYV",
        KerberosErrorCode.Repeat => "KRB_AP_ERR_REPEAT",
        KerberosErrorCode.NotUs => "KRB_AP_ERR_NOT_US",
        KerberosErrorCode.BadMatch => "KRB_AP_ERR_BADMATCH",
        KerberosErrorCode.Skew => "KRB_AP_ERR_SKEW",
        KerberosErrorCode.Modified => "KRB_AP_ERR_MODIFIED",
        KerberosErrorCode.BadKeyVersion => "KRB_AP_ERR_BADKEYVER",
        KerberosErrorCode.NoKey => "KRB_AP_ERR_NOKEY",
        KerberosErrorCode.InappropriateChecksum => "KRB_AP_ERR_INAPP_CKSUM",
        KerberosErrorCode.ResponseTooBig => "KRB_ERR_RESPONSE_TOO_BIG",
        KerberosErrorCode.Generic => "KRB_ERR_GENERIC",
        KerberosErrorCode.FieldTooLong => "KRB_ERR_FIELD_TOOLONG",
        KerberosErrorCode.WrongRealm => "KDC_ERR_WRONG_REALM",
        _ => string.Create(CultureInfo.InvariantCulture, $"Kerberos error {(int)code}"),
    };
}
