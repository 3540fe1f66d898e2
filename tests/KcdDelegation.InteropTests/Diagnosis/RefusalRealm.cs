using KcdDelegation.InteropTests.Scenarios;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>A column of the table of refusals.</summary>
/// <param name="Scenario">The accounts of the realm.</param>
/// <param name="Other">The trusted realm, or null.</param>
internal sealed record RefusalRealm(ScenarioRealm Scenario, LabRealm? Other) : IAsyncDisposable
{
    public const string Test = "TestRealm";
    public const string Mit = "MIT 1.20";
    public const string Mit21 = "MIT 1.21";
    public const string Heimdal = "Heimdal 7.8";
    public const string Samba17 = "Samba 4.17";
    public const string Samba22 = "Samba 4.22";

    public static RefusalRealm Open(string column) => column switch
    {
        Test => new(new TestScenarioRealm(), null),
        Mit => new(new LabScenarioRealm(LabRealm.Mit, Mit), LabRealm.Mit2),
        Mit21 => new(new LabScenarioRealm(LabRealm.Mit21, Mit21), null),
        Heimdal => new(new LabScenarioRealm(LabRealm.Heimdal, Heimdal), null),
        Samba17 => new(new LabScenarioRealm(LabRealm.Samba, Samba17), null),
        Samba22 => new(new LabScenarioRealm(LabRealm.Samba22, Samba22), LabRealm.Partner),
        _ => throw new ArgumentOutOfRangeException(nameof(column), column, "Not a column."),
    };

    public static string GetColumn(string part) => part switch
    {
        "mit" => Mit,
        "mit21" => Mit21,
        "heimdal" => Heimdal,
        "samba" => Samba17,
        "samba22" => Samba22,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "Has no column."),
    };

    /// <summary>The realm in the lab, for columns other than TestRealm.</summary>
    public LabRealm LabRealm => LabRealm.All.Single(realm => realm.Realm == Scenario.Realm);

    public string Realm => Scenario.Realm;

    public KdcEndpoint Kdc => Scenario.Kdc;

    public string Spn(string host) => Scenario.Spn(host);

    public ServiceAccount CreateAccount(DelegatingAccount account) =>
        Scenario.CreateAccount(account) ?? throw new InvalidOperationException($"{Scenario.Column} has no {account}.");

    public void Require()
    {
        Scenario.Require();
        if (Other is not null)
            Lab.Require(Other.Part, "mit-faults");
    }

    public ValueTask DisposeAsync() => Scenario.DisposeAsync();
}
