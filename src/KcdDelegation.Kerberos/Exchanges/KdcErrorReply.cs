using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Converts a KRB-ERROR to the exception that callers see.</summary>
internal static class KdcErrorReply
{
    public static KerberosException ToException(KrbError error)
    {
        var status = KerbErrorData.ReadNtStatus(error.Data);
        var text = string.IsNullOrWhiteSpace(error.Text) ? null : error.Text;
        return new KerberosException(new KerberosFailure
        {
            Code = error.Code,
            Reason = PreAuthenticationOffer.Read(error).Contains(PreAuthenticationOffer.SupersededByUser)
                ? KerberosFailureReason.AccountSuperseded
                : KerberosFailureReason.KdcError,
            NtStatus = status,
            KdcSoftware = KdcSoftwareDetection.Detect(error, status is not null),
            KdcText = text,
            // Code 29 is a fault of one KDC (RFC 4120 §7.5.9). The dispatcher has tried the others before a caller sees it.
            IsTransient = error.Code == KerberosErrorCode.ServiceUnavailable,
            Detail = text is null ? "" : $"the KDC says \"{text}\"",
        });
    }
}
