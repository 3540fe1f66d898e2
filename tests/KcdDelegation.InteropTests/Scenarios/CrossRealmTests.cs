using System.Collections.Concurrent;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>Delegation over a trust: the account at home, and the user, the target or both in another realm.</summary>
public sealed class CrossRealmTests(CrossRealmTests.Pairs pairs) : IClassFixture<CrossRealmTests.Pairs>
{
    private const string Mit = "MIT 1.20, cross-realm keys";
    private const string Samba = "Samba 4.22, forest trust";

    private static readonly string[] Columns = ["TestRealm, trust", Mit, Samba];

    /// <summary>{0} is the other realm, {1} the account's.</summary>
    private static readonly Row[] Rows =
    [
        new("User of the other realm, target at home", "alice@{0}") { User = Foreign("alice"),
            Differences = On(Samba, "KDC_ERR_C_PRINCIPAL_UNKNOWN in S4U2Self") },
        new("User at home, target of the other realm that lists the account", "alice@{1}") { Target = pair =>
            pair.OtherSpn("rbcd"), Differences = On(Samba, "KDC_ERR_BADOPTION in S4U2Proxy") },
        new("The same, realm of the target told", "alice@{1}") { Target = pair =>
            $"{pair.OtherSpn("rbcd")}@{pair.Other}", Differences = On(Samba, "KDC_ERR_BADOPTION in S4U2Proxy") },
        new("User at home, target of the other realm that does not list the account", "KDC_ERR_BADOPTION in S4U2Proxy") { Target = pair =>
            pair.OtherSpn("other") },
        new("User and target of the other realm", "alice@{0}") { User = Foreign("alice"), Target = pair =>
            pair.OtherSpn("rbcd"), Differences = On(Samba, "KDC_ERR_C_PRINCIPAL_UNKNOWN in S4U2Self") },
        new("Sensitive user of the other realm", "KDC_ERR_BADOPTION in S4U2Proxy (EvidenceNotForwardable)") { User = Foreign("sensitive"),
            Differences = On(Samba, "KDC_ERR_C_PRINCIPAL_UNKNOWN in S4U2Self") },
        new("Unknown user of the other realm", "KDC_ERR_C_PRINCIPAL_UNKNOWN in S4U2Self") { User = Foreign("nosuchuser") },
        new("User of an unknown realm", "KDC_ERR_S_PRINCIPAL_UNKNOWN in Referral") { User = _ =>
            KerberosPrincipal.Principal("alice", "NOWHERE.TEST") },
    ];

    public static TheoryData<string, string> Cells
    {
        get
        {
            var cells = new TheoryData<string, string>();
            foreach (var row in Rows)
            {
                foreach (var column in Columns)
                    cells.Add(row.Name, column);
            }
            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task A_delegation_over_a_trust_ends_as_it_should(string row, string column)
    {
        var (scenario, pair) = (Rows.Single(scenario => scenario.Name == row), pairs.Get(column));
        pair.Require();
        (await pairs.OutcomeAsync(scenario, pair)).ShouldBe(scenario.ExpectedOn(pair));
    }

    [Fact]
    public async Task The_page_on_interoperability_says_what_the_trusts_did()
    {
        foreach (var column in Columns)
            pairs.Get(column).Require();
        await InteroperabilityPage.CheckAsync(
            "trusts", await InteroperabilityPage.TableAsync(Columns, Rows.Select(row => row.Name), async (name, column) =>
        {
            var pair = pairs.Get(column);
            return (await pairs.OutcomeAsync(Rows.Single(row => row.Name == name), pair))
                .Replace(pair.Other, "OTHER", StringComparison.Ordinal).Replace(pair.Home, "HOME", StringComparison.Ordinal);
        }));
    }

    private static Func<RealmPair, KerberosPrincipal> Foreign(string user) => pair => KerberosPrincipal.Principal(user, pair.Other);

    private static Dictionary<string, string> On(string column, string outcome) => new(StringComparer.Ordinal) { [column] = outcome };

    internal sealed record Row(string Name, string Expected)
    {
        public Func<RealmPair, KerberosPrincipal> User { get; init; } = pair => KerberosPrincipal.Principal("alice", pair.Home);

        public Func<RealmPair, string> Target { get; init; } = pair => pair.HomeSpn("web");

        public IReadOnlyDictionary<string, string> Differences { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

        public string ExpectedOn(RealmPair pair) =>
            (Differences.TryGetValue(pair.Column, out var other) ? other : Expected).Replace("{0}", pair.Other, StringComparison.Ordinal)
                .Replace("{1}", pair.Home, StringComparison.Ordinal);
    }

    public sealed class Pairs : IAsyncLifetime
    {
        private readonly ConcurrentDictionary<(string Row, string Column), Lazy<Task<string>>> _outcomes = new();
        private readonly List<RealmPair> _pairs = [];

        internal RealmPair Get(string column) => _pairs.Single(pair => pair.Column == column);

        internal Task<string> OutcomeAsync(Row row, RealmPair pair) =>
            _outcomes.GetOrAdd((row.Name, pair.Column), _ => new Lazy<Task<string>>(async () =>
            {
                await using var client = new S4UClient(pair.CreateOptions());
                return await ScenarioOutcome.OfAsync(
                    () => client.GetTicketAsync(row.User(pair), ServicePrincipalName.Parse(row.Target(pair)), CancellationToken.None));
            })).Value;

        public ValueTask InitializeAsync()
        {
            _pairs.AddRange([new TestRealmPair("TestRealm, trust"), new LabRealmPair(Mit, LabRealm.Mit, LabRealm.Mit2),
                new LabRealmPair(Samba, LabRealm.Partner, LabRealm.Samba22)]);
            return ValueTask.CompletedTask;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var pair in _pairs)
                await pair.DisposeAsync();
        }
    }
}
