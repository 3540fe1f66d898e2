using KcdDelegation.Kerberos;

namespace KcdDelegation.Diagnosis;

/// <summary>One cause: the errors that show it, and what to say. What a row does not name, it does not look at. The cause is the beginning
/// of a sentence in lower case and never starts with a name: names are printed as they are.</summary>
internal sealed record CatalogueRow(KcdStage Stage, int EventId, Func<ErrorNames, string> Cause, Func<ErrorNames, string> Remedy)
{
    public KerberosFailureReason? Reason { get; init; }
    public KerberosErrorCode? Code { get; init; }
    public int? NtStatus { get; init; }
    public IReadOnlyList<KerberosExchange> In { get; init; } = [];

    public bool Matches(KerberosException error) =>
        (Reason is null || error.Reason == Reason)
        && (Code is null || error.Code == Code)
        && (NtStatus is null || error.NtStatus == NtStatus)
        && (In.Count == 0 || In.Contains(error.Exchange));
}
