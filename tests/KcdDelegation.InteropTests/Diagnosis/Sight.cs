using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>What the client sees of a refusal: everything that the explanation uses apart from names.</summary>
/// <param name="Exchange">The exchange that failed.</param>
/// <param name="Code">The KDC's code.</param>
/// <param name="Reason">The client's finding.</param>
/// <param name="NtStatus">The NTSTATUS.</param>
/// <param name="When">The condition of the row that explains it.</param>
internal sealed record Sight(
    KerberosExchange Exchange, KerberosErrorCode? Code, KerberosFailureReason Reason = KerberosFailureReason.KdcError, int? NtStatus = null,
        RowCondition? When = null)
{
    public static Sight From(KerberosException error) => new(error.Exchange, error.Code, error.Reason, error.NtStatus);

    /// <summary>The row of the catalogue that explains it.</summary>
    public CatalogueRow Row
    {
        get
        {
            var error = new KerberosException(
                new KerberosFailure { Exchange = Exchange, Code = Code, Reason = Reason, NtStatus = NtStatus });
            return When is null
                ? ErrorCatalogue.Rows.First(row => row.Matches(error))
                : ErrorCatalogue.Rows.First(row => row.When?.Description == When.Description && (row with { When = null }).Matches(error));
        }
    }
}
