using System.Collections.Concurrent;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>Runs every scenario on every realm. A cell runs once, for its own test and for the page.</summary>
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
    public async Task A_scenario_has_the_expected_outcome_on_a_realm(string row, string column)
    {
        var scenario = ScenarioTable.Rows.Single(scenario => scenario.Name == row);
        var realm = realms.Get(column);
        realm.Require();

        (await realms.OutcomeAsync(scenario, realm)).ShouldBe(scenario.ExpectedOn(realm));
    }

    /// <summary>Compares the page with the outcomes. With KCD_WRITE_DOCS=1 it writes the page.</summary>
    [Fact]
    public async Task The_interoperability_page_agrees_with_the_outcomes()
    {
        foreach (var column in ScenarioTable.Columns)
            realms.Get(column).Require();

        await InteroperabilityPage.CheckAsync(
            "realms", await InteroperabilityPage.TableAsync(
            ScenarioTable.Columns, ScenarioTable.Rows.Select(row => row.Name), async (name, column) =>
            Generalize(await realms.OutcomeAsync(ScenarioTable.Rows.Single(row => row.Name == name), realms.Get(column)),
                realms.Get(column))));
    }

    /// <summary>Replaces the name of the realm, so that only differences of outcomes are visible.</summary>
    private static string Generalize(string outcome, ScenarioRealm realm) =>
        outcome.Replace(realm.Realm, "REALM", StringComparison.Ordinal).Replace(realm.Domain, "domain", StringComparison.Ordinal);

    public sealed class Realms : IAsyncLifetime
    {
        private readonly ConcurrentDictionary<string, ScenarioRealm> _realms = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<(string Row, string Column), Lazy<Task<string>>> _outcomes = new();

        internal ScenarioRealm Get(string column) => _realms[column];

        internal Task<string> OutcomeAsync(Scenario scenario, ScenarioRealm realm) =>
            _outcomes.GetOrAdd(
                (scenario.Name, realm.Column), _ =>
                new Lazy<Task<string>>(() => ScenarioOutcome.RunAsync(scenario, realm, CancellationToken.None))).Value;

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
