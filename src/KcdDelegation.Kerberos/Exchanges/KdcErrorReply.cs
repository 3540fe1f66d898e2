using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>A KRB-ERROR as the exception that callers see, with what the exchange itself needs of it.</summary>
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
            // 29 is a fault of one KDC (RFC 4120 §7.5.9); the dispatcher has tried the others by the time a caller sees it.
            IsTransient = error.Code == KerberosErrorCode.ServiceUnavailable,
            Detail = text is null ? "" : $"the KDC says \"{text}\"",
        });
    }
}
