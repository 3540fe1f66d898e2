using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Tests.Transport;
using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

public sealed class RealmConcurrencyLimitsTests
{
    private const string Home = "CONTOSO.TEST";
    private const string Away = "EU.TEST";

    [Fact]
    public async Task A_realm_whose_KDCs_are_silent_fills_its_own_gate_and_the_home_realm_serves_at_once()
    {
        var hangUp = new TaskCompletionSource();
        await using var silent = new FakeKdc { OnConnection = (_, token) => hangUp.Task.WaitAsync(token) };
        await using var remote = TestRealm.Start(Away).User("ada");
        await using var home = TestRealm.Start(Home).User("bob").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app").Trusts(remote);
        await using var client = new S4UClient(new S4UClientOptions
        {
            Realm = home.Name,
            Account = home.CreateServiceAccount("gw"),
            Kdcs = { [home.Name] = [home.Endpoint], [remote.Name] = [silent.Endpoint] },
            Cache = new TicketCacheOptions { MaxConcurrentExchanges = 1, MaxQueuedExchanges = 0 },
        });
        var app = ServicePrincipalName.Parse("HTTP/app");
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var stuck = client.GetTicketAsync(KerberosPrincipal.Principal("ada", Away), app, leave.Token).AsTask();
        await UntilAsync(() => !silent.Connections.IsEmpty);
        var refused = await Should.ThrowAsync<KerberosException>(async () =>
            await client.GetTicketAsync(KerberosPrincipal.Principal("eve", Away), app, TestContext.Current.CancellationToken));
        refused.Reason.ShouldBe(KerberosFailureReason.Overloaded);
        refused.Realm.ShouldBe(Away);

        var ticket = await client.GetTicketAsync(KerberosPrincipal.Principal("bob", Home), app, TestContext.Current.CancellationToken);

        ticket.User.Name.ShouldBe("bob");
        stuck.IsCompleted.ShouldBeFalse();
        await leave.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => stuck);
        // Disposing the client waits for what is under way.
        hangUp.SetResult();
    }

    [Fact]
    public async Task The_same_realm_in_other_letters_has_the_same_gate_and_a_place_left_lets_the_next_in()
    {
        using var gates = new RealmConcurrencyLimits(Home, maxConcurrent: 1, maxQueued: 1);
        var first = await EnterAsync(gates, Away);
        var second = EnterAsync(gates, "eu.test");
        second.IsCompleted.ShouldBeFalse();
        (await Should.ThrowAsync<KerberosException>(() => EnterAsync(gates, Away))).Reason.ShouldBe(KerberosFailureReason.Overloaded);

        first.Dispose();
        (await second).Dispose();

        using var third = await EnterAsync(gates, Away);
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_no_gap()
    {
        using var gates = new RealmConcurrencyLimits(Home, maxConcurrent: 1, maxQueued: 1);
        using (await EnterAsync(gates, Away))
        {
            using var leave = new CancellationTokenSource();
            var waiting = gates.EnterAsync(Away, leave.Token).AsTask();
            await leave.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => waiting);
            EnterAsync(gates, Home).IsCompletedSuccessfully.ShouldBeTrue();
        }

        using var next = await EnterAsync(gates, Away);
    }

    [Fact]
    public async Task However_many_realms_are_asked_there_is_room_for_the_home_realm()
    {
        using var gates = new RealmConcurrencyLimits(Home, maxConcurrent: 1, maxQueued: 0);
        var places = new List<RealmConcurrencyLimits.Place>();
        var overload = await Should.ThrowAsync<KerberosException>(async () =>
        {
            for (var i = 0; i < 1000; i++)
                places.Add(await EnterAsync(gates, $"R{i}.TEST"));
        });
        (overload.Reason, overload.IsTransient).ShouldBe((KerberosFailureReason.Overloaded, true));
        places.Count.ShouldBe(255);

        (await EnterAsync(gates, Home)).Dispose();
        // A realm that nobody asks any more makes room for another.
        places[0].Dispose();
        (await EnterAsync(gates, "R999.TEST")).Dispose();
        (await EnterAsync(gates, Home)).Dispose();
    }

    private static Task<RealmConcurrencyLimits.Place> EnterAsync(RealmConcurrencyLimits gates, string realm) =>
        gates.EnterAsync(realm, TestContext.Current.CancellationToken).AsTask();

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(10, patience.Token);
    }
}
