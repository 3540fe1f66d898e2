using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>A realm of the lab.</summary>
internal sealed class LabScenarioRealm(LabRealm realm, string column) : ScenarioRealm
{
    public override string Column => column;

    public override string Realm => realm.Realm;

    public override KdcEndpoint Kdc => realm.Kdc;

    public override void Require() => realm.Require();

    public override ServiceAccount? CreateAccount(DelegatingAccount account)
    {
        var isDirectory = realm.Software == LabKdc.Samba;
        return account switch
        {
            DelegatingAccount.Connector => ByKeytab("connector"),
            DelegatingAccount.ByPassword => ServiceAccount.FromPassword(isDirectory ? realm.Connector : "svc-pw", Lab.Password),
            DelegatingAccount.WrongPassword => ServiceAccount.FromPassword(isDirectory ? realm.Connector : "svc-pw", "not the password"),
            DelegatingAccount.WithoutProtocolTransition => ByKeytab("connector-notrans"),
            DelegatingAccount.ResourceBasedOnly => ByKeytab("rbcdonly"),
            DelegatingAccount.WithoutAesKeys => ServiceAccount.FromPassword(realm.GetAccount("connector-rc4"), Lab.Password),
            DelegatingAccount.Computer => isDirectory ? ServiceAccount.FromPassword("conncomp$", Lab.Password) : null,
            DelegatingAccount.Renamed => isDirectory ? ServiceAccount.FromPassword("svc-renamed", Lab.Password) : null,
            _ => throw new ArgumentOutOfRangeException(nameof(account), account, "Not an account of the scenarios."),
        };
    }

    private ServiceAccount ByKeytab(string name) => ServiceAccount.FromKeytab(realm.GetAccount(name), realm.Keytab(name));
}
