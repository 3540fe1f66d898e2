using System.Collections.Concurrent;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>Every scenario on every realm. A cell is run once, whether its own test or the page wants it first.</summary>
public sealed class ScenarioTests(ScenarioTests.Realms realms) : IClassFixture<ScenarioTests.Realms>
{
    public static TheoryData<string, string> Cells
    {
        get
        {
            var cells = new TheoryData<string, string>();
            foreach (var row in ScenarioTable.Rows)
            {
                foreach (var column in ScenarioTable.Columns)
                    cells.Add(row.Name, column);
            }
            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task A_scenario_ends_as_it_should_on_a_realm(string row, string column)
    {
        var scenario = ScenarioTable.Rows.Single(scenario => scenario.Name == row);
        var realm = realms.Get(column);
        realm.Require();

        (await realms.OutcomeAsync(scenario, realm)).ShouldBe(scenario.ExpectedOn(realm));
    }

    /// <summary>With KCD_WRITE_DOCS=1 the page is written, else it must be what the run saw.</summary>
    [Fact]
    public async Task The_page_on_interoperability_says_what_the_realms_did()
    {
        foreach (var column in ScenarioTable.Columns)
            realms.Get(column).Require();

        await InteroperabilityPage.CheckAsync("realms", await InteroperabilityPage.TableAsync(ScenarioTable.Columns, ScenarioTable.Rows.Select(row => row.Name), async (name, column) =>
            Generalize(await realms.OutcomeAsync(ScenarioTable.Rows.Single(row => row.Name == name), realms.Get(column)), realms.Get(column))));
    }

    /// <summary>Realm names differ by nature; a reader of the page wants to see where the outcome does.</summary>
    private static string Generalize(string outcome, ScenarioRealm realm) =>
        outcome.Replace(realm.Realm, "REALM", StringComparison.Ordinal).Replace(realm.Domain, "domain", StringComparison.Ordinal);

    public sealed class Realms : IAsyncLifetime
    {
        private readonly ConcurrentDictionary<string, ScenarioRealm> _realms = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<(string Row, string Column), Lazy<Task<string>>> _outcomes = new();

        internal ScenarioRealm Get(string column) => _realms[column];

        internal Task<string> OutcomeAsync(Scenario scenario, ScenarioRealm realm) =>
            _outcomes.GetOrAdd((scenario.Name, realm.Column), _ => new Lazy<Task<string>>(() => ScenarioOutcome.RunAsync(scenario, realm, CancellationToken.None))).Value;

        public ValueTask InitializeAsync()
        {
            foreach (var create in ScenarioTable.Realms)
            {
                var realm = create();
                _realms[realm.Column] = realm;
            }
            return ValueTask.CompletedTask;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var realm in _realms.Values)
                await realm.DisposeAsync();
        }
    }
}
