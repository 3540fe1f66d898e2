using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Tests.Transport;
using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

public sealed class RealmConcurrencyLimitsTests
{
    private const string Home = "CONTOSO.TEST";
    private const string Away = "EU.TEST";

    [Fact]
    public async Task Silent_KDCs_of_one_realm_do_not_delay_requests_to_the_home_realm()
    {
        var hangUp = new TaskCompletionSource();
        await using var silent = new FakeKdc { OnConnection = (_, token) => hangUp.Task.WaitAsync(token) };
        await using var remote = TestRealm.Start(Away).User("ada");
        await using var home = TestRealm.Start(Home).User("bob").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app")
            .Trusts(remote);
        await using var client = new S4UClient(new S4UClientOptions
        {
            Realm = home.Name,
            Account = home.CreateServiceAccount("gw"),
            Kdcs = { [home.Name] = [home.Endpoint], [remote.Name] = [silent.Endpoint] },
            Cache = new TicketCacheOptions { MaxConcurrentExchanges = 1, MaxQueuedExchanges = 0 },
        });
        var app = ServicePrincipalName.Parse("HTTP/app");
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var pending = client.GetTicketAsync(KerberosPrincipal.Principal("ada", Away), app, cancellation.Token).AsTask();
        await UntilAsync(() => !silent.Connections.IsEmpty);
        var refused = await Should.ThrowAsync<KerberosException>(async () =>
            await client.GetTicketAsync(KerberosPrincipal.Principal("eve", Away), app, TestContext.Current.CancellationToken));
        refused.Reason.ShouldBe(KerberosFailureReason.Overloaded);
        refused.Realm.ShouldBe(Away);

        var ticket = await client.GetTicketAsync(KerberosPrincipal.Principal("bob", Home), app, TestContext.Current.CancellationToken);

        ticket.User.Name.ShouldBe("bob");
        pending.IsCompleted.ShouldBeFalse();
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => pending);
        // Disposing the client waits for the exchanges in progress.
        hangUp.SetResult();
    }

    [Fact]
    public async Task A_realm_name_in_another_case_shares_the_limit_and_a_released_permit_admits_the_next_request()
    {
        using var limits = new RealmConcurrencyLimits(Home, maxConcurrent: 1, maxQueued: 1);
        var first = await AcquireAsync(limits, Away);
        var second = AcquireAsync(limits, "eu.test");
        second.IsCompleted.ShouldBeFalse();
        (await Should.ThrowAsync<KerberosException>(() => AcquireAsync(limits, Away))).Reason.ShouldBe(KerberosFailureReason.Overloaded);

        first.Dispose();
        (await second).Dispose();

        using var third = await AcquireAsync(limits, Away);
    }

    [Fact]
    public async Task A_request_that_is_canceled_while_it_waits_consumes_no_permit()
    {
        using var limits = new RealmConcurrencyLimits(Home, maxConcurrent: 1, maxQueued: 1);
        using (await AcquireAsync(limits, Away))
        {
            using var cancellation = new CancellationTokenSource();
            var waiting = limits.AcquireAsync(Away, cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => waiting);
            AcquireAsync(limits, Home).IsCompletedSuccessfully.ShouldBeTrue();
        }

        using var next = await AcquireAsync(limits, Away);
    }

    [Fact]
    public async Task The_home_realm_is_available_when_the_maximum_number_of_realms_is_reached()
    {
        using var limits = new RealmConcurrencyLimits(Home, maxConcurrent: 1, maxQueued: 0);
        var permits = new List<RealmConcurrencyLimits.Permit>();
        var overload = await Should.ThrowAsync<KerberosException>(async () =>
        {
            for (var i = 0; i < 1000; i++)
                permits.Add(await AcquireAsync(limits, $"R{i}.TEST"));
        });
        (overload.Reason, overload.IsTransient).ShouldBe((KerberosFailureReason.Overloaded, true));
        permits.Count.ShouldBe(255);

        (await AcquireAsync(limits, Home)).Dispose();
        // The limit of a realm without exchanges is removed.
        permits[0].Dispose();
        (await AcquireAsync(limits, "R999.TEST")).Dispose();
        (await AcquireAsync(limits, Home)).Dispose();
    }

    private static Task<RealmConcurrencyLimits.Permit> AcquireAsync(RealmConcurrencyLimits limits, string realm) =>
        limits.AcquireAsync(realm, TestContext.Current.CancellationToken).AsTask();

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(10, timeout.Token);
    }
}
