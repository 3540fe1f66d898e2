using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Diagnosis;

/// <summary>The table that maps an error of the engine to its likely cause and remedy.</summary>
/// <remarks>The first row that matches is used, so specific rows come before general ones. KDC errors are not authenticated
/// (RFC 4120 §5.9.1): they are explained, and nothing else is decided from them.</remarks>
internal static class ErrorCatalogue
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        .. ClientFindings.Rows,
        .. BackendErrors.Rows,
        .. StatusErrors.Rows,
        .. DelegationErrors.Rows,
        .. NameErrors.Rows,
        .. AccountErrors.Rows,
        .. PolicyErrors.Rows,
        .. TicketErrors.Rows,
        new(KcdStage.Delegation, KcdErrorKind.Configuration, KcdEventId.NoTicket,
            n => $"the KDC of {n.Realm} refused the request for a reason that is not in the catalogue",
            Remedies.ReportBug),
    ];

    public static DelegationFailure Explain(KerberosException error)
    {
        var names = new ErrorNames(error);
        var row = Rows.First(row => row.Matches(error));
        var status = error.NtStatus is { } code ? $", {NtStatusNames.Get(code)}" : "";
        var cause = row.Cause(names);
        var sentence = $"{char.ToUpperInvariant(cause[0])}{cause[1..]}. [{PrintableText.From(error.Message)}{status}]";
        return new DelegationFailure(row.Stage, row.Kind, row.EventId, sentence, row.Remedy(names).TrimEnd())
        {
            IsTransient = error.IsTransient,
        };
    }
}
