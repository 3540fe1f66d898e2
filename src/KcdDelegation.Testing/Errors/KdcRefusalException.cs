using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Errors;

namespace KcdDelegation.Testing.Errors;

/// <summary>The KDC's "no": what the KRB-ERROR will say. It never leaves the KDC.</summary>
internal sealed class KdcRefusalException(KerberosErrorCode code, int? ntStatus = null) : Exception(KerberosErrorNames.Get(code))
{
    public KerberosErrorCode Code => code;
    public int? NtStatus => ntStatus;

    /// <summary>e-data other than an NTSTATUS.</summary>
    public ReadOnlyMemory<byte> ErrorData { get; init; }

    /// <summary>By how much the time in the KRB-ERROR is wrong.</summary>
    public TimeSpan ClockError { get; init; }

    /// <summary>RFC 6806 §6: where the client lives.</summary>
    public string? ClientRealm { get; init; }
}

/// <summary>MS-ERREF §2.3.1: those that a domain controller sends beside KRB-ERRORs.</summary>
internal static class NtStatus
{
    public const int AccountRestriction = unchecked((int)0xC000006E);
    public const int AccountDisabled = unchecked((int)0xC0000072);
    public const int NotSupported = unchecked((int)0xC00000BB);
    public const int NotFound = unchecked((int)0xC0000225);
    public const int NoMatch = unchecked((int)0xC0000272);
}
