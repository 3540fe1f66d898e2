using System.Collections.Concurrent;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>Provokes each refusal of the table on each realm where it is possible, and checks the stage, the KDC's code, the NTSTATUS, the
/// client's own finding, and the explanation.</summary>
public sealed class RefusalTests(RefusalTests.Realms realms) : IClassFixture<RefusalTests.Realms>
{
    public static TheoryData<string, string> Cells
    {
        get
        {
            var cells = new TheoryData<string, string>();
            foreach (var row in RefusalTable.Rows)
            {
                foreach (var column in RefusalTable.Columns.Where(row.Seen.ContainsKey))
                    cells.Add(row.Name, column);
            }
            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task The_explanation_of_a_refusal_has_its_cause_and_its_remedy(string name, string column)
    {
        var (row, realm) = (RefusalTable.Rows.Single(row => row.Name == name), realms.Get(column));
        realm.Require();
        var request = row.Request(realm);
        using var account = request.CreateAccount();

        var error = await request.RefusedAsync(account, TestContext.Current.CancellationToken);
        var explained = KcdException.Explain(error);

        (Sight.From(error) with { When = row.Seen[column].When }).ShouldBe(row.Seen[column], error.Message);
        ErrorCatalogue.Rows.First(entry => entry.Matches(error)).ShouldBeSameAs(row.Seen[column].Row, error.Message);
        (explained.Stage, explained.EventId).ShouldBe((row.Stage, row.EventId));
        explained.Cause.ShouldContain(error.CodeName ?? error.Reason.ToString());
        foreach (var part in row.Names)
            explained.Cause.ShouldContain(Filled(part));
        foreach (var part in row.Remedy)
        {
            if (part.IsFor(error.KdcSoftware))
                explained.Remedy.ShouldContain(Filled(part.Text));
            else
                explained.Remedy.ShouldNotContain(Filled(part.Text), Case.Sensitive, $"the KDC is {error.KdcSoftware}");
        }
        foreach (var text in row.NotInRemedy)
            explained.Remedy.ShouldNotContain(text);
        if (error.NtStatus is { } status)
            explained.Cause.ShouldContain(NtStatusNames.Get(status));

        string Filled(string text) =>
            text.Replace("{account}", account.Name, StringComparison.Ordinal).Replace("{user}", request.User.Name, StringComparison.Ordinal)
            .Replace("{spn}", request.Target, StringComparison.Ordinal).Replace("{realm}", error.Realm, StringComparison.Ordinal)
            .Replace("{upper}", error.Realm.ToUpperInvariant(), StringComparison.Ordinal)
                .Replace("{home}", (error.AccountRealm.Length > 0 ? error.AccountRealm : error.Realm).ToLowerInvariant(),
                    StringComparison.Ordinal)
                .Replace("{userdomain}", (request.User.Realm ?? error.Realm).ToLowerInvariant(), StringComparison.Ordinal)
                .Replace("{domain}", error.Realm.ToLowerInvariant(), StringComparison.Ordinal);
    }

    /// <summary>Needs no lab: the entries come from the catalogue, and how they were provoked from the table of refusals. With
    /// KCD_WRITE_DOCS=1
    /// the test writes the page.</summary>
    [Fact]
    public async Task The_troubleshooting_page_agrees_with_the_catalogue() =>
        await GeneratedSection.CheckAsync("troubleshooting.md", "catalogue", await TroubleshootingPage.CreateCatalogueAsync());

    public sealed class Realms : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<string, Lazy<RefusalRealm>> _realms = new(StringComparer.Ordinal);

        internal RefusalRealm Get(string column) =>
            _realms.GetOrAdd(column, static name => new Lazy<RefusalRealm>(() => RefusalRealm.Open(name))).Value;

        public async ValueTask DisposeAsync()
        {
            foreach (var realm in _realms.Values)
                await realm.Value.DisposeAsync();
        }
    }
}
