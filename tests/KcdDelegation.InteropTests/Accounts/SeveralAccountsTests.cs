using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>Uses several realms and accounts in one process at the same time, and checks that they do not affect each other.</summary>
public sealed class SeveralAccountsTests
{
    [Fact]
    public async Task Accounts_of_several_realms_work_at_the_same_time()
    {
        LabRealm[] realms = [LabRealm.Mit, LabRealm.Mit2, LabRealm.Samba, LabRealm.Samba22, LabRealm.Partner];
        Lab.Require([.. realms.Select(realm => realm.Part)]);
        var asked = realms.SelectMany(
            realm => (string[])["alice", "bob"], (realm, user) =>
            (Realm: realm, User: KerberosPrincipal.Principal(user, realm.Realm))).ToList();

        var tickets = await Task.WhenAll(
            asked.Select(request => AskAsync(request.Realm, request.Realm.Connector, request.Realm.Keytab("connector"), request.User)));

        tickets.Select(ticket => ticket.User).ShouldBe(asked.Select(request => request.User));
        tickets.Select(ticket => ticket.Service.ToString()).ShouldBe(asked.Select(request => request.Realm.Spn("web")));
    }

    [Fact]
    public async Task Two_accounts_of_one_realm_have_separate_rights()
    {
        var realm = LabRealm.Mit;
        realm.Require();
        var alice = KerberosPrincipal.Principal("alice", realm.Realm);

        var served = AskAsync(realm, realm.Connector, realm.Keytab("connector"), alice);
        var refused = Should.ThrowAsync<KerberosException>(
            () => AskAsync(realm, realm.GetAccount("connector-notrans"), realm.Keytab("connector-notrans"), alice));

        (await served).User.ShouldBe(alice);
        (await refused).Account.ShouldBe(realm.GetAccount("connector-notrans"));
    }

    private static async Task<ServiceTicket> AskAsync(LabRealm realm, string name, string keytab, KerberosPrincipal user)
    {
        using var account = ServiceAccount.FromKeytab(name, keytab);
        var options = new S4UClientOptions { Realm = realm.Realm, Account = account };
        options.Kdcs[realm.Realm] = [realm.Kdc];
        await using var client = new S4UClient(options);
        return await client.GetTicketAsync(user, ServicePrincipalName.Parse(realm.Spn("web")), TestContext.Current.CancellationToken);
    }
}
