using System.Net;
using System.Net.Sockets;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Tests.Transport;

public sealed class KdcDispatcherTests : IAsyncDisposable
{
    private const string Realm = "CONTOSO.COM";

    private readonly FakeKdc _first = new();
    private readonly FakeKdc _second = new();
    private readonly EchoRequests _requests = new();
    private readonly CapturingLogger _logger = new();
    private readonly List<KdcDispatcher> _dispatchers = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var dispatcher in _dispatchers)
            await dispatcher.DisposeAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task The_first_KDC_answers_and_nobody_else_is_asked()
    {
        (await SendAsync(Dispatcher(_first.Endpoint, _second.Endpoint))).ShouldBe(1);

        _requests.Made.ShouldBe(1);
        _second.Connections.ShouldBeEmpty();
    }

    public static TheoryData<string> WaysToFail => ["refuse", "close", "garbage", "high bit", "too long", "empty", "cut off", "silent", "drip", "29"];

    [Theory]
    [MemberData(nameof(WaysToFail))]
    public async Task A_KDC_that_fails_is_passed_over_with_a_new_request(string way)
    {
        var first = await FailingAsync(way);
        var dispatcher = Dispatcher(TimingFor(way), TimeProvider.System, first, _second.Endpoint);

        (await SendAsync(dispatcher, KdcRequestMode.OneAtATime)).ShouldBe(_requests.Made);

        _second.Connections.Count.ShouldBe(1);
        _first.Connections.Count.ShouldBe(way == "refuse" ? 0 : 1);
    }

    [Theory]
    [InlineData("refuse", "refused the connection")]
    [InlineData("close", "closed the connection without an answer")]
    [InlineData("garbage", "gave a reply that was rejected: AS-REP is '?HTTP'")]
    [InlineData("high bit", "gave a reply that was rejected: its length has the reserved bit set")]
    [InlineData("too long", "gave a reply that was rejected: it announces 1048577 bytes")]
    [InlineData("empty", "gave a reply that was rejected: it announces 0 bytes")]
    [InlineData("cut off", "closed the connection in the middle of its answer")]
    [InlineData("silent", "accepted the connection but did not answer within 1 s")]
    [InlineData("drip", "accepted the connection but did not answer within 1 s")]
    [InlineData("29", "answered KDC_ERR_SVC_UNAVAILABLE")]
    public async Task When_all_fail_the_error_says_what_each_of_them_did(string way, string words)
    {
        var first = await FailingAsync(way);
        var dead = await FakeKdc.DeadAsync();

        var error = await Should.ThrowAsync<KerberosException>(() => SendAsync(Dispatcher(TimingFor(way), TimeProvider.System, first, dead), KdcRequestMode.OneAtATime));

        error.Detail.ShouldStartWith($"no KDC of CONTOSO.COM gave a usable answer: {first} {words}");
        error.Detail.ShouldEndWith($"; {dead} refused the connection");
        error.Realm.ShouldBe(Realm);
        error.Code.ShouldBeNull();
        error.IsTransient.ShouldBeTrue();
        error.Reason.ShouldBe(words.Contains("rejected", StringComparison.Ordinal) ? KerberosFailureReason.ReplyRejected : KerberosFailureReason.KdcUnreachable);
    }

    [Fact]
    public async Task When_every_KDC_says_that_it_is_unavailable_so_does_the_error()
    {
        _first.OnConnection = _second.OnConnection = FakeKdc.Error(KerberosErrorCode.ServiceUnavailable);

        var error = await Should.ThrowAsync<KerberosException>(() => SendAsync(Dispatcher(_first.Endpoint, _second.Endpoint)));

        error.Code.ShouldBe(KerberosErrorCode.ServiceUnavailable);
        error.IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task When_every_KDC_answers_wrongly_that_is_no_outage()
    {
        _first.OnConnection = _second.OnConnection = FakeKdc.GarbageAsync;

        var error = await Should.ThrowAsync<KerberosException>(() => SendAsync(Dispatcher(_first.Endpoint, _second.Endpoint)));

        error.Reason.ShouldBe(KerberosFailureReason.ReplyRejected);
        error.IsTransient.ShouldBeFalse();
    }

    [Fact]
    public async Task An_error_of_the_realm_is_final()
    {
        _first.OnConnection = FakeKdc.Error(KerberosErrorCode.ClientPrincipalUnknown);

        var error = await Should.ThrowAsync<KerberosException>(() => SendAsync(Dispatcher(_first.Endpoint, _second.Endpoint)));

        error.Code.ShouldBe(KerberosErrorCode.ClientPrincipalUnknown);
        error.Detail.ShouldBe("said the KDC");
        _second.Connections.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_that_cannot_be_made_is_final()
    {
        var dispatcher = Dispatcher(_first.Endpoint, _second.Endpoint);

        await Should.ThrowAsync<ObjectDisposedException>(() => dispatcher.SendAsync<int>(
            Realm, KdcRequestMode.Hedged, () => throw new ObjectDisposedException("key"), TestContext.Current.CancellationToken));

        _second.Connections.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_frozen_KDC_is_overtaken_by_the_next_and_the_loser_hung_up_on()
    {
        var hungUp = new TaskCompletionSource();
        _first.OnConnection = async (socket, token) =>
        {
            await FakeKdc.ReadRequestAsync(socket, token);
            (await socket.ReceiveAsync(new byte[1], token)).ShouldBe(0);
            hungUp.SetResult();
        };
        var dispatcher = Dispatcher(new KdcTiming { HedgeDelay = TimeSpan.FromSeconds(1) }, TimeProvider.System, _first.Endpoint, _second.Endpoint);

        (await SendAsync(dispatcher)).ShouldBe(2);

        await hungUp.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        // It was slow once: the next request does not wait for it again.
        _first.OnConnection = FakeKdc.SilenceAsync;
        (await SendAsync(dispatcher)).ShouldBe(3);
        _first.Connections.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_that_must_not_be_hedged_waits_for_the_slow_KDC()
    {
        _first.OnConnection = async (socket, token) =>
        {
            await Task.Delay(200, token);
            await FakeKdc.AnswerAsync(socket, token);
        };
        var timing = new KdcTiming { HedgeDelay = TimeSpan.FromMilliseconds(1) };

        await SendAsync(Dispatcher(timing, TimeProvider.System, _first.Endpoint, _second.Endpoint), KdcRequestMode.OneAtATime);

        _requests.Made.ShouldBe(1);
        _second.Connections.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_KDC_that_failed_is_asked_last_until_it_has_answered_a_trial()
    {
        var time = new ManualTime();
        _first.OnConnection = FakeKdc.CloseAsync;
        var dispatcher = Dispatcher(new KdcTiming(), time, _first.Endpoint, _second.Endpoint);

        await SendAsync(dispatcher);
        await SendAsync(dispatcher);
        _first.Connections.Count.ShouldBe(1);

        // Due, but still broken: the trial fails, the request does not notice.
        time.Advance(TimeSpan.FromSeconds(31));
        await SendAsync(dispatcher);
        await UntilAsync(() => _logger.Events.Any(e => e.Id == 2103));
        _first.Connections.Count.ShouldBe(2);

        _first.OnConnection = FakeKdc.AnswerAsync;
        await SendAsync(dispatcher);
        _first.Connections.Count.ShouldBe(2);
        time.Advance(TimeSpan.FromSeconds(31));
        await SendAsync(dispatcher);
        await UntilAsync(() => _logger.Events.Any(e => e.Id == 2104));

        var before = _second.Connections.Count;
        await SendAsync(dispatcher);
        _second.Connections.Count.ShouldBe(before);
        _logger.Events.Count(e => e.Level == LogLevel.Warning).ShouldBe(1);
    }

    [Fact]
    public async Task A_request_that_must_not_be_hedged_starts_no_trial()
    {
        var time = new ManualTime();
        _first.OnConnection = FakeKdc.CloseAsync;
        var dispatcher = Dispatcher(new KdcTiming(), time, _first.Endpoint, _second.Endpoint);
        await SendAsync(dispatcher, KdcRequestMode.OneAtATime);
        time.Advance(TimeSpan.FromSeconds(31));

        await SendAsync(dispatcher, KdcRequestMode.OneAtATime);
        await dispatcher.DisposeAsync();

        _first.Connections.Count.ShouldBe(1);
        _requests.Made.ShouldBe(_second.Connections.Count + 1);
    }

    [Fact]
    public async Task When_all_have_failed_all_are_asked_again()
    {
        _first.OnConnection = _second.OnConnection = FakeKdc.CloseAsync;
        var dispatcher = Dispatcher(new KdcTiming(), new ManualTime(), _first.Endpoint, _second.Endpoint);
        await Should.ThrowAsync<KerberosException>(() => SendAsync(dispatcher));

        _second.OnConnection = FakeKdc.AnswerAsync;

        (await SendAsync(dispatcher)).ShouldBe(_requests.Made);
    }

    [Fact]
    public async Task Cancelling_reaches_the_socket_and_says_how_far_it_came()
    {
        var hungUp = new TaskCompletionSource();
        using var caller = new CancellationTokenSource();
        _first.OnConnection = async (socket, token) =>
        {
            await FakeKdc.ReadRequestAsync(socket, token);
            await caller.CancelAsync();
            (await socket.ReceiveAsync(new byte[1], token)).ShouldBe(0);
            hungUp.SetResult();
        };
        var dispatcher = Dispatcher(_first.Endpoint);

        // Shouldly makes an exception of its own for a cancelled task.
        var cancelled = await Assert.ThrowsAsync<OperationCanceledException>(
            () => dispatcher.SendAsync(Realm, KdcRequestMode.Hedged, _requests.Create, caller.Token));

        cancelled.CancellationToken.ShouldBe(caller.Token);
        cancelled.InnerException.ShouldBeOfType<KerberosException>().Detail
            .ShouldBe($"no KDC of CONTOSO.COM gave a usable answer: {_first.Endpoint} accepted the connection but did not answer before the time was up");
        await hungUp.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_realm_without_KDCs_is_an_error_that_says_where_was_looked()
    {
        var error = await Should.ThrowAsync<KerberosException>(() => SendAsync(Dispatcher()));

        error.Reason.ShouldBe(KerberosFailureReason.KdcNotFound);
        error.Exchange.ShouldBe(KerberosExchange.KdcLookup);
        error.IsTransient.ShouldBeFalse();
        error.Detail.ShouldContain("_kerberos._tcp.CONTOSO.COM");
    }

    [Fact]
    public async Task Over_UDP_one_datagram_is_asked_and_one_answers()
    {
        _first.OnDatagram = request => [FakeKdc.Answer(request)];

        (await SendAsync(Dispatcher(_first.UdpEndpoint))).ShouldBe(1);

        _first.Connections.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_answer_too_big_for_UDP_is_asked_for_again_over_TCP_with_a_new_request()
    {
        _first.OnDatagram = _ => [[(byte)'E', (byte)KerberosErrorCode.ResponseTooBig]];

        (await SendAsync(Dispatcher(_first.UdpEndpoint, _second.Endpoint))).ShouldBe(2);

        _first.Connections.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_too_big_for_UDP_goes_by_TCP_at_once()
    {
        var big = new EchoRequests(length: 1401);

        await Dispatcher(_first.UdpEndpoint).SendAsync(Realm, KdcRequestMode.OneAtATime, big.Create, TestContext.Current.CancellationToken);

        _first.Datagrams.ShouldBeEmpty();
        big.Made.ShouldBe(1);
    }

    [Fact]
    public async Task A_datagram_that_is_not_answered_is_followed_by_TCP()
    {
        var timing = new KdcTiming { DatagramTimeout = TimeSpan.FromMilliseconds(50) };

        (await SendAsync(Dispatcher(timing, TimeProvider.System, _first.UdpEndpoint))).ShouldBe(2);

        _first.Datagrams.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Datagrams_that_are_not_the_answer_are_ignored_while_it_may_still_come()
    {
        _first.OnDatagram = request => [[], "stray"u8.ToArray(), FakeKdc.Answer(request)];

        (await SendAsync(Dispatcher(_first.UdpEndpoint))).ShouldBe(1);

        _logger.Events.Count(e => e.Id == 2107).ShouldBe(2);
    }

    [Fact]
    public async Task A_KDC_without_UDP_is_passed_over()
    {
        var dead = await FakeKdc.DeadAsync() with { Transport = KdcTransport.Udp };

        (await SendAsync(Dispatcher(dead, _second.Endpoint))).ShouldBe(_requests.Made);

        _second.Connections.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Every_address_of_a_name_is_tried()
    {
        var dispatcher = new KdcDispatcher(
            new KnownKdcs([new KdcEndpoint("dc1.contoso.com", _first.Endpoint.Port)]), TimeProvider.System, _logger, resolve: static (host, _) =>
            {
                host.ShouldBe("dc1.contoso.com");
                // Nobody listens on the first two; the last is where the KDC is.
                return Task.FromResult(new[] { IPAddress.IPv6Loopback, IPAddress.Parse("127.77.1.1"), IPAddress.Loopback });
            });
        _dispatchers.Add(dispatcher);

        (await SendAsync(dispatcher)).ShouldBe(1);
    }

    [Fact]
    public async Task A_name_that_cannot_be_resolved_is_a_failure_of_that_KDC()
    {
        var dispatcher = new KdcDispatcher(
            new KnownKdcs([new KdcEndpoint("dc1.contoso.com")]), TimeProvider.System, _logger, resolve: static (_, _) => throw new SocketException((int)SocketError.HostNotFound));
        _dispatchers.Add(dispatcher);

        (await Should.ThrowAsync<KerberosException>(() => SendAsync(dispatcher))).Detail
            .ShouldEndWith("dc1.contoso.com:88 has a name that cannot be resolved");
    }

    [Fact]
    public async Task A_KDC_is_reached_by_its_last_addresses_when_its_name_cannot_be_resolved_any_more()
    {
        var asked = 0;
        var dispatcher = new KdcDispatcher(
            new KnownKdcs([new KdcEndpoint("dc1.contoso.com", _first.Endpoint.Port)]), TimeProvider.System, _logger,
            resolve: (_, _) => ++asked == 1 ? Task.FromResult(new[] { IPAddress.Loopback }) : throw new SocketException((int)SocketError.TryAgain));
        _dispatchers.Add(dispatcher);
        await SendAsync(dispatcher);

        (await SendAsync(dispatcher)).ShouldBe(2);

        asked.ShouldBe(2);
        _first.Connections.Count.ShouldBe(2);
    }

    [Fact]
    public async Task After_a_KDC_with_a_name_too_long_for_any_host_the_next_is_asked()
    {
        var tooLong = new KdcEndpoint(string.Join('.', Enumerable.Repeat(new string('a', 60), 5)));

        (await SendAsync(Dispatcher(tooLong, _second.Endpoint))).ShouldBe(_requests.Made);

        _logger.Events.Single(logged => logged.Id == 2102).Text.ShouldContain("has a name that cannot be resolved");
    }

    private Task<int> SendAsync(KdcDispatcher dispatcher, KdcRequestMode attempts = KdcRequestMode.Hedged) =>
        dispatcher.SendAsync(Realm, attempts, _requests.Create, TestContext.Current.CancellationToken);

    /// <summary>Patient enough for a busy machine, except where the end of the patience is what the test waits for.</summary>
    private static KdcTiming TimingFor(string way) =>
        new() { AttemptTimeout = TimeSpan.FromSeconds(way is "silent" or "drip" ? 1 : 60), HedgeDelay = TimeSpan.FromSeconds(60) };

    private KdcDispatcher Dispatcher(params KdcEndpoint[] kdcs) => Dispatcher(TimingFor(""), TimeProvider.System, kdcs);

    private KdcDispatcher Dispatcher(KdcTiming timing, TimeProvider time, params KdcEndpoint[] kdcs)
    {
        var dispatcher = new KdcDispatcher(new KnownKdcs(kdcs), time, _logger, timing);
        _dispatchers.Add(dispatcher);
        return dispatcher;
    }

    private async Task<KdcEndpoint> FailingAsync(string way)
    {
        if (way == "refuse")
            return await FakeKdc.DeadAsync();
        _first.OnConnection = way switch
        {
            "close" => FakeKdc.CloseAsync,
            "garbage" => FakeKdc.GarbageAsync,
            "high bit" => FakeKdc.Raw(0x80, 0, 0, 5, 1, 2, 3, 4, 5),
            "too long" => FakeKdc.Raw(0, 0x10, 0, 1),
            "empty" => FakeKdc.Raw(0, 0, 0, 0),
            "cut off" => async (socket, token) =>
            {
                await FakeKdc.ReadRequestAsync(socket, token);
                await socket.SendAsync(new byte[] { 0, 0, 1, 0, 42 }, token);
            },
            "silent" => FakeKdc.SilenceAsync,
            "drip" => FakeKdc.DripAsync,
            "29" => FakeKdc.Error(KerberosErrorCode.ServiceUnavailable),
            _ => throw new ArgumentOutOfRangeException(nameof(way)),
        };
        return _first.Endpoint;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(10, patience.Token);
    }

    private sealed class KnownKdcs(IReadOnlyList<KdcEndpoint> kdcs) : IKdcLocator
    {
        public ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken) => new(kdcs);
    }
}
