using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>What the client sees of a refusal: everything that the explanation uses apart from names.</summary>
internal sealed record Sight(KerberosExchange Exchange, KerberosErrorCode? Code, KerberosFailureReason Reason = KerberosFailureReason.KdcError, int? NtStatus = null)
{
    public static Sight From(KerberosException error) => new(error.Exchange, error.Code, error.Reason, error.NtStatus);

    /// <summary>The row of the catalogue that explains it.</summary>
    public CatalogueRow Row
    {
        get
        {
            var error = new KerberosException(new KerberosFailure { Exchange = Exchange, Code = Code, Reason = Reason, NtStatus = NtStatus });
            return ErrorCatalogue.Rows.First(row => row.Matches(error));
        }
    }
}
