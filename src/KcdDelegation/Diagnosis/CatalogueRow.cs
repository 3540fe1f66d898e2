using KcdDelegation.Kerberos;

namespace KcdDelegation.Diagnosis;

/// <summary>One cause: the errors that indicate it, and the text that explains it.</summary>
/// <remarks>A member that is null or empty matches every error. The cause is the start of a sentence in lower case. It never starts with a
/// name, because names are printed unchanged.</remarks>
internal sealed record CatalogueRow(
    KcdStage Stage, KcdErrorKind Kind, int EventId, Func<ErrorNames, string> Cause, Func<ErrorNames, string> Remedy)
{
    public KerberosFailureReason? Reason { get; init; }
    public KerberosErrorCode? Code { get; init; }
    public int? NtStatus { get; init; }
    public IReadOnlyList<KerberosExchange> In { get; init; } = [];

    /// <summary>A further condition, for causes that the names or the KDC's text show. Its description is printed in the
    /// documentation.</summary>
    public RowCondition? When { get; init; }

    public bool Matches(KerberosException error) =>
        (Reason is null || error.Reason == Reason)
        && (Code is null || error.Code == Code)
        && (NtStatus is null || error.NtStatus == NtStatus)
        && (In.Count == 0 || In.Contains(error.Exchange))
        && (When is null || When.IsTrue(error));
}
