using KcdDelegation.Diagnosis;
using KcdDelegation.Http;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using KcdDelegation.Tests.Headers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests the pool without a backend.</summary>
public sealed class UserConnectionPoolTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ConnectionServices _services = new(new SocketsHttpHandlers(create: null), "pool", NullLogger.Instance);

    [Fact]
    public async Task The_lease_of_a_user_who_has_connections_allocates_nothing()
    {
        using var pool = new UserConnectionPool(_services, _time);
        var key = Key("ada");
        (await LeaseAsync(pool, "ada")).End();
        Allocations.Measure(1000, () =>
        {
            var lease = pool.LeaseAsync(key, key.User!, ConnectionLimits.Default, CancellationToken.None);
            lease.IsCompletedSuccessfully.ShouldBeTrue();
            lease.GetAwaiter().GetResult().End();
        }).ShouldBeLessThan(1000);
    }

    [Fact]
    public async Task Leases_of_users_do_not_wait_for_the_lock_of_the_pool()
    {
        using var pool = new UserConnectionPool(_services, _time);
        for (var user = 0; user < 10; user++)
            (await LeaseAsync(pool, $"user{user}")).End();
        var poolLock = (Lock)typeof(UserConnectionPool)
            .GetField("_lock", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!.GetValue(pool)!;
        using var locked = new ManualResetEventSlim();
        using var end = new ManualResetEventSlim();
        var holder = new Thread(() =>
        {
            lock (poolLock)
            {
                locked.Set();
                end.Wait(TestContext.Current.CancellationToken);
            }
        });
        holder.Start();
        locked.Wait(TestContext.Current.CancellationToken);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, 10).Select(user => Task.Run(async () => (await LeaseAsync(pool, $"user{user}")).End())))
                .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
        finally
        {
            end.Set();
            holder.Join();
        }
    }

    [Theory]
    [InlineData(29, true)]
    [InlineData(32, false)]
    [InlineData(-1, true)]
    public async Task A_user_whose_connections_may_be_idle_longer_is_kept_as_long(int minutes, bool isKept)
    {
        var isLimited = minutes > 0;
        var handlers = new SocketsHttpHandlers(() => new SocketsHttpHandler
        {
            PooledConnectionIdleTimeout = isLimited ? TimeSpan.FromMinutes(30) : Timeout.InfiniteTimeSpan,
        });
        handlers.Create().Dispose();
        using var pool = new UserConnectionPool(new ConnectionServices(handlers, "pool", NullLogger.Instance), _time);
        var idle = await LeaseAsync(pool, "ada");
        idle.End();

        _time.Advance(isLimited ? TimeSpan.FromMinutes(minutes) : TimeSpan.FromDays(7));

        idle.User.HasSlot.ShouldBe(isKept);
    }

    [Fact]
    public async Task A_user_who_is_idle_for_five_minutes_is_dropped()
    {
        using var pool = new UserConnectionPool(_services, _time);
        var idle = await LeaseAsync(pool, "ada");
        idle.End();
        var inUse = await LeaseAsync(pool, "bob");
        _time.Advance(TimeSpan.FromMinutes(4));
        idle.User.HasSlot.ShouldBeTrue();
        for (var minute = 0; minute < 3; minute++)
            _time.Advance(TimeSpan.FromMinutes(1));
        idle.User.HasSlot.ShouldBeFalse();
        idle.Connection.TryAddLease().ShouldBeFalse();
        inUse.User.HasSlot.ShouldBeTrue();
        inUse.End();
    }

    [Fact]
    public async Task Users_are_replaced_in_the_order_of_their_last_use()
    {
        using var pool = new UserConnectionPool(_services, _time);
        var limits = ConnectionLimits.Default with { MaxUsers = 100 };
        var users = new List<PooledUser>();
        for (var user = 0; user < 100; user++)
            users.Add(await UseAsync($"user{user}"));
        // Every second user is used again, after the pool has searched for the first ones to replace.
        users[0].HasSlot.ShouldBeTrue();
        await UseAsync("another");
        for (var user = 2; user < 100; user += 2)
            await UseAsync($"user{user}");
        for (var user = 0; user < 50; user++)
            await UseAsync($"new{user}");
        users.Select(user => user.HasSlot).ShouldBe(Enumerable.Range(0, 100).Select(user => user > 0 && user % 2 == 0));

        async Task<PooledUser> UseAsync(string user)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            var lease = await pool.LeaseAsync(Key(user), Key(user).User!, limits, TestContext.Current.CancellationToken);
            lease.End();
            return lease.User;
        }
    }

    [Fact]
    public async Task A_waiting_user_gets_the_slot_of_the_first_user_who_becomes_idle()
    {
        using var pool = new UserConnectionPool(_services, _time);
        var limits = ConnectionLimits.Default with { MaxUsers = 2 };
        var ada = await pool.LeaseAsync(Key("ada"), Key("ada").User!, limits, TestContext.Current.CancellationToken);
        var bob = await pool.LeaseAsync(Key("bob"), Key("bob").User!, limits, TestContext.Current.CancellationToken);
        var eve = pool.LeaseAsync(Key("eve"), Key("eve").User!, limits, TestContext.Current.CancellationToken).AsTask();
        var mia = pool.LeaseAsync(Key("mia"), Key("mia").User!, limits, TestContext.Current.CancellationToken).AsTask();
        bob.End();
        (await eve).User.Key.User!.Name.ShouldBe("eve");
        mia.IsCompleted.ShouldBeFalse();
        bob.User.HasSlot.ShouldBeFalse();
        ada.End();
        (await mia).End();
        (await eve).End();
    }

    [Fact]
    public async Task Users_beyond_the_number_that_may_wait_are_refused_at_once()
    {
        using var pool = new UserConnectionPool(_services, _time);
        var limits = ConnectionLimits.Default with { MaxUsers = 1 };
        var ada = await pool.LeaseAsync(Key("ada"), Key("ada").User!, limits, TestContext.Current.CancellationToken);
        var waiting = Enumerable.Range(0, 1000)
            .Select(user => pool.LeaseAsync(Key($"user{user}"), Key($"user{user}").User!, limits, CancellationToken.None).AsTask())
            .ToList();
        waiting.ShouldAllBe(request => !request.IsCompleted);
        var error = await Should.ThrowAsync<KcdException>(
            () => pool.LeaseAsync(Key("eve"), Key("eve").User!, limits, CancellationToken.None).AsTask());
        (error.EventId, error.IsTransient).ShouldBe((KcdEventId.UserLimitReached, true));
        ada.End();
        foreach (var request in waiting)
            (await request).End();
        (await pool.LeaseAsync(Key("eve"), Key("eve").User!, limits, CancellationToken.None)).End();
    }

    [Fact]
    public async Task Requests_of_one_user_beyond_the_number_that_may_wait_are_refused_at_once()
    {
        using var pool = new UserConnectionPool(_services, _time);
        var limits = ConnectionLimits.Default with { MaxConnectionsPerUser = 1 };
        var key = Key("ada");
        var first = await pool.LeaseAsync(key, key.User!, limits, TestContext.Current.CancellationToken);
        var waiting = Enumerable.Range(0, 1000)
            .Select(_ => pool.LeaseAsync(key, key.User!, limits, CancellationToken.None).AsTask()).ToList();
        (await Should.ThrowAsync<KcdException>(() => pool.LeaseAsync(key, key.User!, limits, CancellationToken.None).AsTask()))
            .EventId.ShouldBe(KcdEventId.ConnectionLimitReached);
        first.End();
        foreach (var request in waiting)
            (await request).End();
    }

    [Fact]
    public async Task The_wait_ends_after_the_configured_time_and_leaves_nothing_behind()
    {
        using var pool = new UserConnectionPool(_services, _time);
        var limits = ConnectionLimits.Default with { MaxUsers = 1 };
        var ada = await pool.LeaseAsync(Key("ada"), Key("ada").User!, limits, TestContext.Current.CancellationToken);
        var bob = pool.LeaseAsync(Key("bob"), Key("bob").User!, limits, CancellationToken.None).AsTask();
        _time.Advance(TimeSpan.FromSeconds(9));
        bob.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(2));
        (await Should.ThrowAsync<KcdException>(bob)).EventId.ShouldBe(KcdEventId.UserLimitReached);
        ada.End();
        ada.User.HasSlot.ShouldBeTrue("no user waits for the slot any more");
    }

    [Fact]
    public async Task Keys_differ_by_the_origin_and_not_by_the_path()
    {
        using var pool = new UserConnectionPool(_services, _time);
        var first = await LeaseAsync(pool, "ada", "https://app/one?x=1");
        (await LeaseAsync(pool, "ada", "https://app/two")).Connection.ShouldBeSameAs(first.Connection);
        foreach (var other in (string[])["http://app/one", "https://app:444/one", "https://other/one"])
            (await LeaseAsync(pool, "ada", other)).User.ShouldNotBeSameAs(first.User);
    }

    private static ConnectionKey Key(string user, string address = "https://app/") => new(
        KerberosPrincipal.Principal(user, "CONTOSO.COM"), FakeTickets.Service, new Uri(address), ChannelBinding: false,
        RequiresChannelBinding: false);

    private static ValueTask<ConnectionLease> LeaseAsync(UserConnectionPool pool, string user, string address = "https://app/") =>
        pool.LeaseAsync(
            Key(user, address), Key(user).User!, ConnectionLimits.Default, TestContext.Current.CancellationToken);
}
