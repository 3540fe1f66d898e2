using KcdDelegation.InteropTests.Faults;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>Replaces the realm's own key while a client has a ticket-granting ticket under the old one.</summary>
[Collection(nameof(KrbtgtRollTests))]
public sealed class KrbtgtRollTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Each realm whose key the lab can replace, with the old key kept and removed.</summary>
    public static TheoryData<string, string> Rolls
    {
        get
        {
            var rolls = new TheoryData<string, string>();
            foreach (var part in BurstTable.RolledRealms)
            {
                rolls.Add(part, "keep");
                rolls.Add(part, "drop-old");
            }
            return rolls;
        }
    }

    [Theory]
    [MemberData(nameof(Rolls))]
    public async Task Users_without_a_cached_ticket_are_served_after_the_key_of_krbtgt_was_replaced(string part, string oldKey)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        using var account = ServiceAccount.FromKeytab(realm.Spn("connector"), realm.Keytab("connector"));
        var options = new S4UClientOptions { Realm = realm.Realm, Account = account };
        options.Kdcs[realm.Realm] = [realm.Kdc];
        await using var client = new S4UClient(options);
        await AskAsync("alice", "web");

        await Lab.RunScriptAsync(part, ["krbtgt", "roll", oldKey], Cancellation);

        // A new user, and a cached user at a new target.
        await AskAsync("bob", "web");
        await AskAsync("alice", "web-aes256");

        async Task AskAsync(string user, string target)
        {
            var asked = KerberosPrincipal.Principal(user, realm.Realm);
            (await client.GetTicketAsync(asked, ServicePrincipalName.Parse(realm.Spn(target)), Cancellation)).User.ShouldBe(asked);
        }
    }
}

/// <summary>Without the old key, every ticket of the realm ends, so no other test may run at the same time.</summary>
[CollectionDefinition(nameof(KrbtgtRollTests), DisableParallelization = true)]
public sealed class KrbtgtRollTestGroup;
