using System.Collections.Concurrent;
using System.Diagnostics;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Kerberos.Time;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Kerberos.Tests.TicketCache;

public sealed class TicketStoreTests
{
    private static readonly KerberosPrincipal Ada = KerberosPrincipal.Principal("ada", "CONTOSO.TEST");
    private static readonly ServicePrincipalName Web = ServicePrincipalName.Parse("HTTP/web");

    private static readonly TicketCacheOptions Ageless =
        new() { MaxEvidenceAge = TimeSpan.FromDays(7), MaxTicketAge = TimeSpan.FromDays(7) };

    private readonly ManualClock _time = new();
    private int _exchanges;

    [Fact]
    public async Task Two_hundred_callers_for_one_key_make_one_exchange()
    {
        await using var store = Store();
        var release = new TaskCompletionSource();
        var callers = Enumerable.Range(0, 200).Select(_ => GetAsync(store, Key(Ada), async () =>
        {
            await release.Task;
            return Ticket();
        })).ToArray();
        release.SetResult();
        var tickets = await Task.WhenAll(callers);
        _exchanges.ShouldBe(1);
        tickets.Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_canceled_caller_does_not_end_the_exchange_of_others()
    {
        await using var store = Store();
        var release = new TaskCompletionSource();
        using var leaves = new CancellationTokenSource();
        Task<FakeTicket> Get(CancellationToken token) => store.GetOrAddAsync(Key(Ada), async _ =>
        {
            Interlocked.Increment(ref _exchanges);
            await release.Task;
            return Ticket();
        }, token);
        var first = Get(leaves.Token);
        var second = Get(CancellationToken.None);
        await leaves.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => first);
        release.SetResult();
        (await second).ShouldNotBeNull();
        _exchanges.ShouldBe(1);
    }

    [Fact]
    public async Task The_exchange_continues_without_waiters_and_its_ticket_serves_the_next_caller()
    {
        await using var store = Store();
        var release = new TaskCompletionSource();
        using var leaves = new CancellationTokenSource();
        var only = store.GetOrAddAsync(Key(Ada), async token =>
        {
            Interlocked.Increment(ref _exchanges);
            await release.Task.WaitAsync(token);
            return Ticket();
        }, leaves.Token);
        await leaves.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => only);
        release.SetResult();
        await GetAsync(store, Key(Ada), Ticket);
        _exchanges.ShouldBe(1);
    }

    [Fact]
    public async Task An_exchange_does_not_run_in_the_ambient_state_of_a_caller()
    {
        await using var store = Store();
        var ambient = new AsyncLocal<string?> { Value = "ada's" };
        var seen = "?";
        await GetAsync(store, Key(Ada), () =>
        {
            seen = ambient.Value;
            return Ticket();
        });
        seen.ShouldBeNull();
    }

    [Fact]
    public async Task A_nested_exchange_serves_other_callers_and_outlives_the_outer_one()
    {
        await using var store = Store();
        var release = new TaskCompletionSource();
        using var outOfTime = new CancellationTokenSource();
        var outer = store.GetOrAddAsync(Key(Ada), async _ =>
        {
            Interlocked.Increment(ref _exchanges);
            await store.GetOrAddNestedAsync(TicketKey.Self("gw", Ada), async _ =>
            {
                Interlocked.Increment(ref _exchanges);
                await release.Task;
                return Ticket();
            }, outOfTime.Token);
            return Ticket();
        }, CancellationToken.None);
        while (Volatile.Read(ref _exchanges) < 2)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        var other = GetAsync(store, TicketKey.Self("gw", Ada), Ticket);
        await outOfTime.CancelAsync();
        (await Should.ThrowAsync<InvalidOperationException>(() => outer)).InnerException.ShouldBeAssignableTo<OperationCanceledException>();
        other.IsCompleted.ShouldBeFalse();
        release.SetResult();
        (await other).ShouldNotBeNull();
        _exchanges.ShouldBe(2);
    }

    [Fact]
    public async Task The_span_of_an_exchange_is_a_child_of_the_caller_that_started_it_and_is_linked_to_the_others()
    {
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source == TicketCacheMetrics.Activities,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        await using var store = Store();
        using var first = new Activity("first").Start();
        var release = new TaskCompletionSource();
        var begins = GetAsync(store, Key(Ada), async () =>
        {
            await release.Task;
            return Ticket();
        });
        while (Volatile.Read(ref _exchanges) == 0)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        using var second = new Activity("second").SetParentId(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom()).Start();
        var waits = GetAsync(store, Key(Ada), Ticket);
        release.SetResult();
        await Task.WhenAll(begins, waits);
        // Other tests create spans at the same time.
        var span = spans.Single(each => each.ParentSpanId == first.SpanId);
        span.TraceId.ShouldBe(first.TraceId);
        span.OperationName.ShouldBe("kcd.exchange.service");
        span.Kind.ShouldBe(ActivityKind.Client);
        span.Links.Select(link => link.Context).ShouldBe([second.Context]);
        span.GetTagItem("kcd.ticket.kind").ShouldBe("service");
        span.GetTagItem("kcd.service").ShouldBe("HTTP/web");
        span.GetTagItem("kcd.outcome").ShouldBe("ok");
        span.TagObjects.ShouldAllBe(tag => !$"{tag.Value}".Contains(Ada.Name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_span_of_a_renewal_has_no_parent_because_no_caller_waits_for_it()
    {
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source == TicketCacheMetrics.Activities,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        await using var store = Store();
        await GetAsync(store, Key(Ada), Ticket);
        _time.Advance(TimeSpan.FromHours(9.9));
        using var caller = new Activity("caller").Start();
        await GetAsync(store, Key(Ada), () => Task.FromException<FakeTicket>(Outage()));
        await Eventually(() => Task.FromResult(spans.Any(each => each.Links.Any(link => link.Context == caller.Context))));

        var span = spans.Single(each => each.Links.Any(link => link.Context == caller.Context));
        span.ParentId.ShouldBeNull();
        (span.Status, span.GetTagItem("kcd.outcome")).ShouldBe((ActivityStatusCode.Error, "unavailable"));
        span.GetTagItem("error.type").ShouldBe("KdcUnreachable");
    }

    [Fact]
    public async Task Every_waiter_gets_its_own_exception_object()
    {
        await using var store = Store();
        var release = new TaskCompletionSource();
        var callers = Enumerable.Range(0, 10).Select(_ => GetAsync(store, Key(Ada), async () =>
        {
            await release.Task;
            throw Refusal();
        })).ToArray();
        release.SetResult();
        var errors = new List<KerberosException>();
        foreach (var caller in callers)
            errors.Add(await Should.ThrowAsync<KerberosException>(() => caller));
        errors.Distinct(ReferenceEqualityComparer.Instance).Count().ShouldBe(10);
        errors.ShouldAllBe(error => error.Code == KerberosErrorCode.BadOption);
    }

    [Fact]
    public async Task A_refusal_is_repeated_without_an_exchange_until_its_life_ends()
    {
        await using var store = Store();
        await Should.ThrowAsync<KerberosException>(() => GetAsync(store, Key(Ada), () => Task.FromException<FakeTicket>(Refusal())));
        await Should.ThrowAsync<KerberosException>(() => GetAsync(store, Key(Ada), Ticket));
        _exchanges.ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(31));
        await GetAsync(store, Key(Ada), Ticket);
        _exchanges.ShouldBe(2);
    }

    [Fact]
    public async Task An_outage_is_forgotten_at_once()
    {
        await using var store = Store();
        await Should.ThrowAsync<KerberosException>(() => GetAsync(store, Key(Ada), () => Task.FromException<FakeTicket>(Outage())));
        (await GetAsync(store, Key(Ada), Ticket)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_failed_log_on_of_the_account_is_not_remembered_for_the_user()
    {
        await using var store = Store();
        var logOn = new KerberosException(
            new KerberosFailure { Code = KerberosErrorCode.PreAuthenticationFailed, Exchange = KerberosExchange.LogOn });
        await Should.ThrowAsync<KerberosException>(() => GetAsync(store, Key(Ada), () => Task.FromException<FakeTicket>(logOn)));
        (await GetAsync(store, Key(Ada), Ticket)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_ticket_that_is_about_to_end_is_not_used()
    {
        await using var store = Store();
        await GetAsync(store, Key(Ada), Ticket);
        _time.Advance(TimeSpan.FromHours(10) - TimeSpan.FromSeconds(59));
        await GetAsync(store, Key(Ada), Ticket);
        _exchanges.ShouldBe(2);
    }

    [Fact]
    public async Task A_ticket_in_use_is_renewed_before_its_end_while_callers_use_it()
    {
        await using var store = Store();
        var first = await GetAsync(store, Key(Ada), Ticket);
        _time.Advance(TimeSpan.FromHours(10) - TimeSpan.FromMinutes(14));
        var renewed = new TaskCompletionSource<FakeTicket>();
        (await GetAsync(store, Key(Ada), () => renewed.Task)).ShouldBe(first);
        var next = Ticket();
        renewed.SetResult(next);
        await Eventually(async () => await GetAsync(store, Key(Ada), Ticket) == next);
        _exchanges.ShouldBe(2);
        first.IsRetired.ShouldBeFalse();
    }

    [Fact]
    public async Task An_outage_during_a_renewal_leaves_the_ticket_in_use()
    {
        await using var store = Store();
        var first = await GetAsync(store, Key(Ada), Ticket);
        _time.Advance(TimeSpan.FromHours(10) - TimeSpan.FromMinutes(14));
        await GetAsync(store, Key(Ada), () => Task.FromException<FakeTicket>(Outage()));
        await Eventually(() => Task.FromResult(_exchanges == 2));
        (await GetAsync(store, Key(Ada), () => Task.FromException<FakeTicket>(Outage()))).ShouldBe(first);
    }

    [Fact]
    public async Task A_refusal_during_a_renewal_ends_the_use_of_the_ticket()
    {
        await using var store = Store();
        await GetAsync(store, Key(Ada), Ticket);
        _time.Advance(TimeSpan.FromHours(10) - TimeSpan.FromMinutes(14));
        await GetAsync(store, Key(Ada), () => Task.FromException<FakeTicket>(Refusal()));
        await Eventually(() => Task.FromResult(store.Count == 0));
        await Should.ThrowAsync<KerberosException>(() => GetAsync(store, Key(Ada), Ticket));
    }

    [Fact]
    public async Task Keys_that_differ_in_user_type_realm_service_or_origin_never_share_a_ticket()
    {
        await using var store = Store();
        TicketKey[] keys =
        [
            Key(Ada),
            Key(KerberosPrincipal.Principal("ada", "OTHER.TEST")),
            Key(KerberosPrincipal.Principal("Ada", "CONTOSO.TEST")),
            Key(KerberosPrincipal.Enterprise("ada", "CONTOSO.TEST")),
            Key(KerberosPrincipal.Enterprise("ada")),
            new TicketKey(TicketKind.Service, "gw", Ada, ServicePrincipalName.Parse("http/web"), EvidenceOrigin.ProtocolTransition),
            new TicketKey(TicketKind.Service, "gw", Ada, Web, new EvidenceOrigin("presented")),
            new TicketKey(TicketKind.Service, "gw2", Ada, Web, EvidenceOrigin.ProtocolTransition),
            TicketKey.Self("gw", Ada),
            TicketKey.Tgt("gw"),
        ];
        var tickets = new List<FakeTicket>();
        foreach (var key in keys)
            tickets.Add(await GetAsync(store, key, Ticket));
        tickets.Distinct().Count().ShouldBe(keys.Length);
        store.Count.ShouldBe(keys.Length);
    }

    [Fact]
    public async Task A_purged_ticket_is_retired_and_requested_again()
    {
        await using var store = Store();
        var first = await GetAsync(store, Key(Ada), Ticket);
        store.Purge(key => key.User == Ada).ShouldBe(1);
        first.IsRetired.ShouldBeTrue();
        store.Count.ShouldBe(0);
        store.Bytes.ShouldBe(0);
        (await GetAsync(store, Key(Ada), Ticket)).ShouldNotBe(first);
    }

    [Fact]
    public async Task A_ticket_that_was_renewed_is_retired_with_its_successor_and_destroyed_with_the_cache()
    {
        var store = Store();
        var first = await GetAsync(store, Key(Ada), Ticket);
        _time.Advance(TimeSpan.FromHours(9.9));
        await GetAsync(store, Key(Ada), Ticket);
        await Eventually(async () => await GetAsync(store, Key(Ada), Ticket) != first);
        first.IsRetired.ShouldBeFalse();
        var other = await GetAsync(store, Key(User(1)), Ticket);
        store.Purge(key => Ada.Equals(key.User)).ShouldBe(1);
        first.IsRetired.ShouldBeTrue();
        other.IsRetired.ShouldBeFalse();
        _time.Advance(TimeSpan.FromHours(9.9));
        await Eventually(async () => await GetAsync(store, Key(User(1)), Ticket) != other);
        await store.DisposeAsync();
        other.IsDestroyed.ShouldBeTrue();
    }

    [Fact]
    public async Task A_logger_that_throws_leaves_no_caller_without_an_outcome()
    {
        var store = new TicketStore(new TicketCacheOptions(), TimeSpan.FromSeconds(30), new KdcClock(_time), new ThrowingLogger());
        for (var round = 0; round < 2; round++)
            await Should.ThrowAsync<InvalidOperationException>(
                () => GetAsync(store, Key(Ada), () => Task.FromException<FakeTicket>(new NotSupportedException("a defect"))));
        (await GetAsync(store, Key(Ada), Ticket)).ShouldNotBeNull();
        await store.DisposeAsync();
    }

    [Fact]
    public async Task A_ticket_of_a_user_purged_meanwhile_is_dropped_and_requested_again()
    {
        await using var store = Store();
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var stale = Ticket();
        var fresh = Ticket();
        var waiter = store.GetOrAddAsync(Key(Ada), async _ =>
        {
            if (Interlocked.Increment(ref _exchanges) > 1)
                return fresh;
            begun.SetResult();
            await release.Task;
            return stale;
        }, CancellationToken.None);
        await begun.Task;
        store.Purge(static _ => true).ShouldBe(1);
        release.SetResult();
        (await waiter).ShouldBe(fresh);
        stale.IsRetired.ShouldBeTrue();
    }

    [Fact]
    public async Task A_purge_during_a_nested_exchange_stores_nothing_for_callers_who_left()
    {
        await using var store = Store();
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        using var left = new CancellationTokenSource();
        var nested = 0;
        var caller = store.GetOrAddAsync(Key(Ada), async _ =>
        {
            await store.GetOrAddNestedAsync(TicketKey.Self("gw", Ada), async _ =>
            {
                Interlocked.Increment(ref nested);
                begun.TrySetResult();
                await release.Task;
                return Ticket();
            }, CancellationToken.None);
            return Ticket();
        }, left.Token);
        await begun.Task;
        await left.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => caller);

        store.Purge(static _ => true).ShouldBe(2);
        release.SetResult();
        await store.DisposeAsync();

        nested.ShouldBe(1);
        store.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_caller_who_waits_for_a_purged_nested_exchange_gets_new_tickets()
    {
        await using var store = Store();
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var evidence = new List<FakeTicket>();
        var caller = store.GetOrAddAsync(Key(Ada), async _ =>
        {
            evidence.Add(await store.GetOrAddNestedAsync(TicketKey.Self("gw", Ada), async _ =>
            {
                if (begun.TrySetResult())
                    await release.Task;
                return Ticket();
            }, CancellationToken.None));
            return Ticket();
        }, CancellationToken.None);
        await begun.Task;

        store.Purge(static _ => true).ShouldBe(2);
        release.SetResult();

        (await caller).IsRetired.ShouldBeFalse();
        evidence.ShouldHaveSingleItem().IsRetired.ShouldBeFalse();
        store.Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_cache_stays_within_its_count_and_keeps_tickets_in_use()
    {
        await using var store = Store(new TicketCacheOptions { MaxEntries = 10 });
        var used = Key(User(0));
        for (var i = 0; i < 100; i++)
        {
            await GetAsync(store, Key(User(i)), Ticket);
            await GetAsync(store, used, Ticket);
        }
        await Eventually(() => Task.FromResult(store.Count <= 10));
        var before = _exchanges;
        await GetAsync(store, used, Ticket);
        _exchanges.ShouldBe(before);
    }

    [Fact]
    public async Task The_cache_stays_within_its_bytes()
    {
        await using var store = Store(new TicketCacheOptions { MaxBytes = 50_000 });
        for (var i = 0; i < 100; i++)
            await GetAsync(store, Key(User(i)), () => new FakeTicket(_time.GetUtcNow().AddHours(10), 4000));
        await Eventually(() => Task.FromResult(store.Bytes <= 50_000));
        store.Count.ShouldBeGreaterThan(5);
    }

    [Fact]
    public async Task Disposal_waits_for_the_running_exchange_and_zeroes_the_tickets()
    {
        var store = Store();
        var held = await GetAsync(store, Key(Ada), Ticket);
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var ended = false;
        _ = GetAsync(store, Key(User(1)), async () =>
        {
            begun.SetResult();
            await release.Task;
            ended = true;
            return Ticket();
        });
        await begun.Task;
        var disposal = store.DisposeAsync();
        disposal.IsCompleted.ShouldBeFalse();
        release.SetResult();
        await disposal;
        ended.ShouldBeTrue();
        held.IsDestroyed.ShouldBeTrue();
        await Should.ThrowAsync<ObjectDisposedException>(() => GetAsync(store, Key(Ada), Ticket));
    }

    [Fact]
    public async Task An_exchange_that_outlasts_its_deadline_is_an_outage()
    {
        await using var store =
            new TicketStore(new TicketCacheOptions(), TimeSpan.FromMilliseconds(50), new KdcClock(TimeProvider.System),
            NullLogger.Instance);
        var error = await Should.ThrowAsync<KerberosException>(() => store.GetOrAddAsync<FakeTicket>(Key(Ada), async token =>
        {
            await Task.Delay(Timeout.Infinite, token);
            throw new InvalidOperationException("not reached");
        }, CancellationToken.None));
        error.IsTransient.ShouldBeTrue();
        error.Code.ShouldBeNull();
    }

    [Theory]
    [InlineData(TicketKind.Tgt, KerberosExchange.LogOn, KerberosErrorCode.ClientRevoked, true)]
    [InlineData(TicketKind.Tgt, KerberosExchange.LogOn, KerberosErrorCode.KeyExpired, true)]
    [InlineData(TicketKind.Tgt, KerberosExchange.LogOn, KerberosErrorCode.PreAuthenticationFailed, false)]
    [InlineData(TicketKind.Tgt, KerberosExchange.LogOn, KerberosErrorCode.Policy, false)]
    [InlineData(TicketKind.Tgt, KerberosExchange.S4U2Self, KerberosErrorCode.ClientRevoked, false)]
    [InlineData(TicketKind.Evidence, KerberosExchange.RealmDiscovery, KerberosErrorCode.ClientPrincipalUnknown, true)]
    [InlineData(TicketKind.Evidence, KerberosExchange.Referral, KerberosErrorCode.ServicePrincipalUnknown, true)]
    [InlineData(TicketKind.Evidence, KerberosExchange.S4U2Self, KerberosErrorCode.ClientRevoked, true)]
    [InlineData(TicketKind.Evidence, KerberosExchange.LogOn, KerberosErrorCode.ClientRevoked, false)]
    [InlineData(TicketKind.Service, KerberosExchange.S4U2Proxy, KerberosErrorCode.BadOption, true)]
    [InlineData(TicketKind.Service, KerberosExchange.Referral, KerberosErrorCode.ServicePrincipalUnknown, true)]
    [InlineData(TicketKind.Service, KerberosExchange.S4U2Self, KerberosErrorCode.ClientRevoked, false)]
    [InlineData(TicketKind.Service, KerberosExchange.LogOn, KerberosErrorCode.ClientRevoked, false)]
    public async Task A_refusal_is_remembered_where_it_belongs_only(
        object kind, KerberosExchange exchange, KerberosErrorCode code, bool isRemembered)
    {
        await using var store = Store();
        var key = (TicketKind)kind switch
        {
            TicketKind.Tgt => TicketKey.Tgt("gw"),
            TicketKind.Evidence => TicketKey.Self("gw", Ada),
            _ => Key(Ada),
        };
        var refusal = new KerberosException(new KerberosFailure { Code = code, Exchange = exchange });
        await Should.ThrowAsync<KerberosException>(() => GetAsync(store, key, () => Task.FromException<FakeTicket>(refusal)));
        if (isRemembered)
            (await Should.ThrowAsync<KerberosException>(() => GetAsync(store, key, Ticket))).Code.ShouldBe(code);
        else
            (await GetAsync(store, key, Ticket)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_ticket_that_lives_shorter_than_the_minimum_is_used_and_the_log_says_so_once()
    {
        var logger = new CapturingLogger();
        await using var store = new TicketStore(new TicketCacheOptions(), TimeSpan.FromSeconds(30), new KdcClock(_time), logger);
        FakeTicket ShortLived() => new(_time.GetUtcNow().AddSeconds(50), 2000);
        var first = await GetAsync(store, Key(Ada), ShortLived);
        _time.Advance(TimeSpan.FromSeconds(20));
        (await GetAsync(store, Key(Ada), ShortLived)).ShouldBe(first);
        await GetAsync(store, Key(User(1)), ShortLived);
        _time.Advance(TimeSpan.FromSeconds(21)); // the margin is a fifth: 10 seconds
        (await GetAsync(store, Key(Ada), ShortLived)).ShouldNotBe(first);
        logger.Events.Count(logged => logged.Id == 2303).ShouldBe(1);
    }

    [Theory]
    [InlineData(false, 30)]
    [InlineData(true, 90)]
    public async Task Evidence_and_service_tickets_are_used_up_to_their_age(bool isService, int minutes)
    {
        await using var store =
            Store(new TicketCacheOptions { MaxEvidenceAge = TimeSpan.FromMinutes(30), MaxTicketAge = TimeSpan.FromMinutes(90) });
        var key = isService ? Key(Ada) : TicketKey.Self("gw", Ada);
        var first = await GetAsync(store, key, Ticket);
        _time.Advance(TimeSpan.FromMinutes(minutes) - TimeSpan.FromSeconds(1));
        (await GetAsync(store, key, () => Task.FromException<FakeTicket>(Outage()))).ShouldBe(first);
        _time.Advance(TimeSpan.FromSeconds(2));
        await Should.ThrowAsync<KerberosException>(() => GetAsync(store, key, () => Task.FromException<FakeTicket>(Outage())));
    }

    [Fact]
    public async Task Two_hundred_callers_with_one_refused_ticket_make_one_exchange()
    {
        await using var store = Store();
        var refused = await GetAsync(store, Key(Ada), Ticket);
        var release = new TaskCompletionSource();
        var callers = Enumerable.Range(0, 200).Select(_ => store.ReplaceAsync(Key(Ada), refused, async _ =>
        {
            Interlocked.Increment(ref _exchanges);
            await release.Task;
            return Ticket();
        }, isNested: false, CancellationToken.None)).ToArray();
        (await GetAsync(store, Key(Ada), Ticket)).ShouldBe(refused);
        release.SetResult();
        var tickets = await Task.WhenAll(callers);
        tickets.Distinct().ShouldHaveSingleItem().ShouldNotBeNull().ShouldNotBe(refused);
        _exchanges.ShouldBe(2);
    }

    private TicketStore Store(TicketCacheOptions? options = null) =>
        new(options ?? Ageless, TimeSpan.FromSeconds(30), new KdcClock(_time), NullLogger.Instance);

    private Task<FakeTicket> GetAsync(TicketStore store, TicketKey key, Func<FakeTicket> make) =>
        GetAsync(store, key, () => Task.FromResult(make()));

    private Task<FakeTicket> GetAsync(TicketStore store, TicketKey key, Func<Task<FakeTicket>> make) => store.GetOrAddAsync(key, _ =>
    {
        Interlocked.Increment(ref _exchanges);
        return make();
    }, CancellationToken.None);

    private FakeTicket Ticket() => new(_time.GetUtcNow().AddHours(10), 2000);

    private static KerberosPrincipal User(int number) => KerberosPrincipal.Principal($"user{number}", "CONTOSO.TEST");

    private static TicketKey Key(KerberosPrincipal user) =>
        new TicketKey(TicketKind.Service, "gw", user, Web, EvidenceOrigin.ProtocolTransition);

    private static KerberosException Refusal() =>
        new(new KerberosFailure { Code = KerberosErrorCode.BadOption, Exchange = KerberosExchange.S4U2Proxy });

    private static KerberosException Outage() =>
        new(new KerberosFailure { Reason = KerberosFailureReason.KdcUnreachable, Exchange = KerberosExchange.S4U2Proxy,
        IsTransient = true });

    private static async Task Eventually(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 500 && !await condition(); i++)
            await Task.Delay(10);
        (await condition()).ShouldBeTrue();
    }

    private sealed class ThrowingLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("The disk is full.");
    }

    private sealed class FakeTicket(DateTimeOffset endTime, int size) : ICachedTicket
    {
        public DateTimeOffset EndTime => endTime;

        public int Size => size;

        public bool IsRetired { get; private set; }

        public bool IsDestroyed { get; private set; }

        public void Retire() => IsRetired = true;

        public void Destroy() => IsDestroyed = true;
    }
}
