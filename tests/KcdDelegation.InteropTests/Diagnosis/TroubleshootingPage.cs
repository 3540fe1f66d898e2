using System.Globalization;
using System.Text;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>The catalogue in docs/troubleshooting.md: each row with example names, and how the lab provoked it.</summary>
internal static class TroubleshootingPage
{
    private static readonly ErrorNames Example = new(new KerberosException(new KerberosFailure
    {
        Realm = "CONTOSO.COM",
        Account = "svc-gateway",
        AccountRealm = "CONTOSO.COM",
        User = KerberosPrincipal.Principal("ada", "CONTOSO.COM"),
        Service = ServicePrincipalName.Parse("HTTP/erp.contoso.com"),
    }));

    private static readonly (string Heading, IReadOnlyList<CatalogueRow> Rows)[] Chapters =
    [
        ("Findings of the client", ClientFindings.Rows),
        ("Causes that the NTSTATUS shows", StatusErrors.Rows),
        ("The right to delegate", DelegationErrors.Rows),
        ("Names", NameErrors.Rows),
        ("State of accounts", AccountErrors.Rows),
        ("Policies, trusts, encryption types", PolicyErrors.Rows),
        ("Tickets, keys, clocks", TicketErrors.Rows),
        ("Answers of the backend", BackendErrors.Rows),
        ("Other errors", [ErrorCatalogue.Rows[^1]]),
    ];

    public static async Task<string> CreateCatalogueAsync()
    {
        Chapters.SelectMany(chapter => chapter.Rows).Count().ShouldBe(ErrorCatalogue.Rows.Count, "a part of the catalogue has no chapter");
        var page = new StringBuilder();
        foreach (var (heading, rows) in Chapters)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n### {heading}\n");
            foreach (var row in rows)
            {
                page.Append(CultureInfo.InvariantCulture, $"\n#### {Title(row)}\n\n");
                page.Append(CultureInfo.InvariantCulture, $"- **Cause:** {row.Cause(Example)}.\n");
                page.Append(CultureInfo.InvariantCulture, $"- **Remedy:** {row.Remedy(Example)}\n");
                page.Append(CultureInfo.InvariantCulture,
                    $"- **Stage, kind and event:** {row.Stage.ToString().ToLowerInvariant()}, {row.Kind}, {row.EventId}\n");
                page.Append(CultureInfo.InvariantCulture, $"- **Found by:** {await DescribeCheckAsync(row)}\n");
                page.Append(CultureInfo.InvariantCulture, $"- **Provoked by:** {Provoked(row)}\n");
            }
        }
        return page.Append('\n').ToString();
    }

    /// <summary>Gets the heading: the names in the order in which an error prints them.</summary>
    public static string Title(CatalogueRow row)
    {
        var name = row.Code is { } code ? new KerberosException(new KerberosFailure { Code = code }).CodeName
            : row.Reason?.ToString() ?? (row.NtStatus is null ? "Any other error" : "Any code");
        var status = row.NtStatus is { } value ? $" with {NtStatusNames.Get(value)}" : "";
        var steps = row.In.Count > 0 ? $" in {string.Join(", ", row.In)}" : "";
        var condition = row.When is { } when ? $" {when.Description}" : "";
        return $"{name}{status}{steps}{condition}";
    }

    /// <summary>Returns the checks of kcd doctor that find the cause, with links to their explanation.</summary>
    private static async Task<string> DescribeCheckAsync(CatalogueRow row)
    {
        var checks = await FoundBy.FindAsync(row);
        return checks.Count == 0 ? "no check; the answer of the backend is the evidence."
            : string.Join(", ", checks.Select(check => $"[`{check}`](#check-{check.Replace('.', '-')})"));
    }

    private static string Provoked(CatalogueRow row)
    {
        var refusals = RefusalTable.Rows.Select(
            refusal => (refusal.Name,
            Columns: RefusalTable.Columns.Where(column => refusal.Seen.TryGetValue(column, out var sight) && sight.Row == row).ToList()))
            .Where(refusal => refusal.Columns.Count > 0).ToList();
        var cured = RemedyTests.Cases.Where(remedy => remedy.Seen.Row == row).ToList();
        if (refusals.Count == 0 && cured.Count == 0)
            return "not provoked in the lab; derived from the specifications and checked by a unit test.";

        // Errors that only the tests of remedies provoke have no row in the table of refusals.
        var sights = refusals.Count > 0
            ? refusals.Select(refusal => $"{refusal.Name} ({string.Join(", ", refusal.Columns)}).")
            : cured.Select(remedy => $"{remedy.Name} ({Columns([remedy])}).");
        return string.Join(' ', sights) + (cured.Count > 0 ? $" The remedy was applied as printed on {Columns(cured)}." : "");
    }

    private static string Columns(IEnumerable<RemedyCase> cases) =>
        string.Join(", ", cases.SelectMany(remedy => remedy.Parts).Distinct(StringComparer.Ordinal).Select(RefusalRealm.GetColumn)
            .Order(StringComparer.Ordinal));
}
