using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Errors;

namespace KcdDelegation.Testing.Errors;

/// <summary>A refusal of the KDC, with the contents of the KRB-ERROR. It never leaves the KDC.</summary>
internal sealed class KdcRefusalException(KerberosErrorCode code, int? ntStatus = null) : Exception(KerberosErrorNames.Get(code))
{
    public KerberosErrorCode Code => code;
    public int? NtStatus => ntStatus;

    /// <summary>The e-text.</summary>
    public string? Text { get; init; }

    /// <summary>The e-data, if it is not an NTSTATUS.</summary>
    public ReadOnlyMemory<byte> ErrorData { get; init; }

    /// <summary>The error of the time in the KRB-ERROR.</summary>
    public TimeSpan ClockError { get; init; }

    /// <summary>RFC 6806 §6: the client's realm.</summary>
    public string? ClientRealm { get; init; }
}

/// <summary>MS-ERREF §2.3.1: the codes that a domain controller adds to KRB-ERRORs.</summary>
internal static class NtStatus
{
    public const int AccountRestriction = unchecked((int)0xC000006E);
    public const int AccountDisabled = unchecked((int)0xC0000072);
    public const int NotSupported = unchecked((int)0xC00000BB);
    public const int NotFound = unchecked((int)0xC0000225);
    public const int NoMatch = unchecked((int)0xC0000272);
}
