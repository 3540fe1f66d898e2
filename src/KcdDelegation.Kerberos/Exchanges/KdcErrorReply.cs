using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>A KRB-ERROR as the exception that callers see, with what the exchange itself needs of it.</summary>
internal static class KdcErrorReply
{
    public static KerberosException ToException(KrbError error) => new(
        new KerberosFailure
        {
            Code = error.Code,
            Reason = KerberosFailureReason.KdcError,
            NtStatus = KerbErrorData.ReadNtStatus(error.Data),
            // 29 is a fault of one KDC (RFC 4120 §7.5.9); the dispatcher has tried the others by the time a caller sees it.
            IsTransient = error.Code == KerberosErrorCode.ServiceUnavailable,
            Detail = string.IsNullOrWhiteSpace(error.Text) ? "" : $"the KDC says \"{error.Text}\"",
        });
}
