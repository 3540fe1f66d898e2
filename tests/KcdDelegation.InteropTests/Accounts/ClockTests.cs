using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>Uses a KDC whose clock is ten minutes ahead, twice the skew that Kerberos allows.</summary>
public sealed class ClockTests
{
    [Fact]
    public async Task The_client_compensates_for_a_KDC_whose_clock_is_ten_minutes_ahead()
    {
        Lab.Require("mit", "mit-faults");
        var realm = LabRealm.Mit;
        using var account = ServiceAccount.FromKeytab(realm.Connector, realm.Keytab("connector"));
        var options = new S4UClientOptions { Realm = realm.Realm, Account = account };
        options.Kdcs[realm.Realm] = [LabFaults.TenMinutesAhead];
        await using var client = new S4UClient(options);

        foreach (var target in (string[])["web", "web-aes256"])
        {
            var ticket = await client.GetTicketAsync(
                KerberosPrincipal.Principal("alice", realm.Realm), ServicePrincipalName.Parse(realm.Spn(target)),
                TestContext.Current.CancellationToken);
            (ticket.AuthTime - TimeProvider.System.GetUtcNow()).ShouldBeInRange(TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(11));
        }
    }
}
