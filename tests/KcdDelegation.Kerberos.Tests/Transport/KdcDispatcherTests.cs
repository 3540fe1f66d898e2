using System.Net.Sockets;
using System.Net;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

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
    public async Task The_second_KDC_is_not_asked_if_the_first_answers()
    {
        (await SendAsync(Dispatcher(_first.Endpoint, _second.Endpoint))).ShouldBe(1);

        _requests.Created.ShouldBe(1);
        _second.Connections.ShouldBeEmpty();
    }

    public static TheoryData<string> WaysToFail =>
        ["refuse", "close", "garbage", "high bit", "too long", "empty", "cut off", "silent", "drip", "29"];

    [Theory]
    [MemberData(nameof(WaysToFail))]
    public async Task The_next_KDC_is_asked_with_a_new_request_after_a_failure(string way)
    {
        var first = await FailingAsync(way);
        var dispatcher = Dispatcher(TimingFor(way), TimeProvider.System, first, _second.Endpoint);

        (await SendAsync(dispatcher, KdcRequestMode.OneAtATime)).ShouldBe(_requests.Created);

        _second.Connections.Count.ShouldBe(1);
        _first.Connections.Count.ShouldBe(way == "refuse" ? 0 : 1);
    }

    [Theory]
    [InlineData("refuse", "refused the connection")]
    [InlineData("close", "closed the connection without an answer")]
    [InlineData("garbage", "sent a reply that was rejected: AS-REP is '<U+0007>HTTP'")]
    [InlineData("high bit", "sent a reply that was rejected: the reserved bit of its length is set")]
    [InlineData("too long", "sent a reply that was rejected: its length is 1048577 bytes")]
    [InlineData("empty", "sent a reply that was rejected: its length is 0 bytes")]
    [InlineData("cut off", "closed the connection before its answer was complete")]
    [InlineData("silent", "accepted the connection but did not answer within 1 s")]
    [InlineData("drip", "accepted the connection but did not answer within 1 s")]
    [InlineData("29", "answered KDC_ERR_SVC_UNAVAILABLE")]
    public async Task If_all_KDCs_fail_the_error_describes_each_failure(string way, string words)
    {
        var first = await FailingAsync(way);
        var dead = await FakeKdc.DeadAsync();

        var error = await Should.ThrowAsync<KerberosException>(() =>
            SendAsync(Dispatcher(TimingFor(way), TimeProvider.System, first, dead), KdcRequestMode.OneAtATime));

        error.Detail.ShouldStartWith($"no KDC of CONTOSO.COM gave a usable answer: {first} {words}");
        error.Detail.ShouldEndWith($"; {dead} refused the connection");
        error.Realm.ShouldBe(Realm);
        error.Code.ShouldBeNull();
        error.IsTransient.ShouldBeTrue();
        error.Reason.ShouldBe(words.Contains("rejected", StringComparison.Ordinal) ? KerberosFailureReason.ReplyRejected
            : KerberosFailureReason.KdcUnreachable);
    }

    [Fact]
    public async Task If_every_KDC_is_unavailable_the_error_has_that_code()
    {
        _first.OnConnection = _second.OnConnection = FakeKdc.Error(KerberosErrorCode.ServiceUnavailable);

        var error = await Should.ThrowAsync<KerberosException>(() => SendAsync(Dispatcher(_first.Endpoint, _second.Endpoint)));

        error.Code.ShouldBe(KerberosErrorCode.ServiceUnavailable);
        error.IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task Invalid_replies_from_every_KDC_are_not_a_transient_error()
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
        error.Detail.ShouldBe("the KDC's text");
        _second.Connections.ShouldBeEmpty();
    }

    /// <summary>A KDC that answers correctly to a request with a wrong name is not at fault.</summary>
    [Fact]
    public async Task A_valid_reply_that_shows_a_wrong_setting_is_final_and_marks_a_failed_KDC_as_recovered()
    {
        var dispatcher = Dispatcher(_first.Endpoint);
        _first.OnConnection = FakeKdc.CloseAsync;
        await Should.ThrowAsync<KerberosException>(() => SendAsync(dispatcher));
        _logger.Events.ShouldContain(logged => logged.Id == 2102);
        _first.OnConnection = FakeKdc.AnswerAsync;

        var error = await Should.ThrowAsync<KerberosException>(() => dispatcher.SendAsync(
            Realm, KdcRequestMode.Hedged, () => new MisnamedRequest(), TestContext.Current.CancellationToken));

        error.Reason.ShouldBe(KerberosFailureReason.NameMismatch);
        _logger.Events.ShouldContain(logged => logged.Id == 2104);
    }

    [Fact]
    public async Task A_request_that_cannot_be_created_is_final()
    {
        var dispatcher = Dispatcher(_first.Endpoint, _second.Endpoint);

        await Should.ThrowAsync<ObjectDisposedException>(() => dispatcher.SendAsync<int>(
            Realm, KdcRequestMode.Hedged, () => throw new ObjectDisposedException("key"), TestContext.Current.CancellationToken));

        _second.Connections.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_next_KDC_is_asked_while_one_hangs_and_the_slower_connection_is_closed()
    {
        var closed = new TaskCompletionSource();
        _first.OnConnection = async (socket, token) =>
        {
            await FakeKdc.ReadRequestAsync(socket, token);
            (await socket.ReceiveAsync(new byte[1], token)).ShouldBe(0);
            closed.SetResult();
        };
        var dispatcher = Dispatcher(new KdcTiming { HedgeDelay = TimeSpan.FromSeconds(1), SilenceInterval = TimeSpan.FromSeconds(60) },
            TimeProvider.System, _first.Endpoint,
            _second.Endpoint);

        (await SendAsync(dispatcher)).ShouldBe(2);

        await closed.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        // The KDC was slow, so the next request asks the other one first.
        _first.OnConnection = FakeKdc.SilenceAsync;
        (await SendAsync(dispatcher)).ShouldBe(3);
        _first.Connections.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_one_at_a_time_request_waits_for_a_slow_KDC()
    {
        _first.OnConnection = async (socket, token) =>
        {
            await Task.Delay(200, token);
            await FakeKdc.AnswerAsync(socket, token);
        };
        var timing = new KdcTiming { HedgeDelay = TimeSpan.FromMilliseconds(1) };

        await SendAsync(Dispatcher(timing, TimeProvider.System, _first.Endpoint, _second.Endpoint), KdcRequestMode.OneAtATime);

        _requests.Created.ShouldBe(1);
        _second.Connections.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_failed_KDC_is_asked_last_until_it_answers_a_trial_request()
    {
        var time = new FakeTimeProvider();
        _first.OnConnection = FakeKdc.CloseAsync;
        var dispatcher = Dispatcher(new KdcTiming { RestartTimeout = TimeSpan.Zero }, time, _first.Endpoint, _second.Endpoint);

        await SendAsync(dispatcher);
        await SendAsync(dispatcher);
        _first.Connections.Count.ShouldBe(1);

        // The KDC is due but still broken. The trial fails, and the request is not affected.
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
    public async Task A_one_at_a_time_request_starts_no_trial()
    {
        var time = new FakeTimeProvider();
        _first.OnConnection = FakeKdc.CloseAsync;
        var dispatcher = Dispatcher(new KdcTiming { RestartTimeout = TimeSpan.Zero }, time, _first.Endpoint, _second.Endpoint);
        await SendAsync(dispatcher, KdcRequestMode.OneAtATime);
        time.Advance(TimeSpan.FromSeconds(31));

        await SendAsync(dispatcher, KdcRequestMode.OneAtATime);
        await dispatcher.DisposeAsync();

        _first.Connections.Count.ShouldBe(1);
        _requests.Created.ShouldBe(_second.Connections.Count + 1);
    }

    [Fact]
    public async Task If_all_KDCs_have_failed_all_are_asked_again()
    {
        _first.OnConnection = _second.OnConnection = FakeKdc.CloseAsync;
        var dispatcher = Dispatcher(
            new KdcTiming { RestartTimeout = TimeSpan.Zero }, new FakeTimeProvider(), _first.Endpoint, _second.Endpoint);
        await Should.ThrowAsync<KerberosException>(() => SendAsync(dispatcher));

        _second.OnConnection = FakeKdc.AnswerAsync;

        (await SendAsync(dispatcher)).ShouldBe(_requests.Created);
    }

    [Fact]
    public async Task Cancellation_closes_the_socket_and_the_error_describes_the_progress()
    {
        var closed = new TaskCompletionSource();
        using var caller = new CancellationTokenSource();
        _first.OnConnection = async (socket, token) =>
        {
            await FakeKdc.ReadRequestAsync(socket, token);
            await caller.CancelAsync();
            (await socket.ReceiveAsync(new byte[1], token)).ShouldBe(0);
            closed.SetResult();
        };
        var dispatcher = Dispatcher(_first.Endpoint);

        // Shouldly throws its own exception for a canceled task.
        var cancelled = await Assert.ThrowsAsync<OperationCanceledException>(
            () => dispatcher.SendAsync(Realm, KdcRequestMode.Hedged, _requests.Create, caller.Token));

        cancelled.CancellationToken.ShouldBe(caller.Token);
        cancelled.InnerException.ShouldBeOfType<KerberosException>().Detail
            .ShouldBe($"no KDC of CONTOSO.COM gave a usable answer: {_first.Endpoint} " +
                "accepted the connection but did not answer before the time-out");
        await closed.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_error_for_a_realm_without_KDCs_names_the_sources()
    {
        var error = await Should.ThrowAsync<KerberosException>(() => SendAsync(Dispatcher()));

        error.Reason.ShouldBe(KerberosFailureReason.KdcNotFound);
        error.Exchange.ShouldBe(KerberosExchange.KdcLookup);
        error.IsTransient.ShouldBeFalse();
        error.Detail.ShouldContain("_kerberos._tcp.CONTOSO.COM");
    }

    [Fact]
    public async Task Over_UDP_one_datagram_is_sent_and_one_is_received()
    {
        _first.OnDatagram = request => [FakeKdc.Answer(request)];

        (await SendAsync(Dispatcher(_first.UdpEndpoint))).ShouldBe(1);

        _first.Connections.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_answer_too_large_for_UDP_is_requested_over_TCP_with_a_new_request()
    {
        _first.OnDatagram = _ => [[(byte)'E', (byte)KerberosErrorCode.ResponseTooBig]];

        (await SendAsync(Dispatcher(_first.UdpEndpoint, _second.Endpoint))).ShouldBe(2);

        _first.Connections.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_too_large_for_UDP_is_sent_over_TCP()
    {
        var large = new EchoRequests(length: 1401);

        await Dispatcher(_first.UdpEndpoint)
            .SendAsync(Realm, KdcRequestMode.OneAtATime, large.Create, TestContext.Current.CancellationToken);

        _first.Datagrams.ShouldBeEmpty();
        large.Created.ShouldBe(1);
    }

    [Fact]
    public async Task TCP_is_used_if_UDP_gets_no_answer()
    {
        var timing = new KdcTiming { DatagramTimeout = TimeSpan.FromMilliseconds(50) };

        (await SendAsync(Dispatcher(timing, TimeProvider.System, _first.UdpEndpoint))).ShouldBe(2);

        _first.Datagrams.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Datagrams_that_do_not_answer_the_request_are_ignored()
    {
        _first.OnDatagram = request => [[], "stray"u8.ToArray(), FakeKdc.Answer(request)];

        (await SendAsync(Dispatcher(_first.UdpEndpoint))).ShouldBe(1);

        _logger.Events.Count(e => e.Id == 2107).ShouldBe(2);
    }

    [Fact]
    public async Task The_next_KDC_is_asked_if_neither_UDP_nor_TCP_is_open()
    {
        var dead = await FakeKdc.DeadAsync() with { Transport = KdcTransport.Udp };

        (await SendAsync(Dispatcher(dead, _second.Endpoint))).ShouldBe(_requests.Created);

        _second.Connections.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Every_address_of_a_name_is_tried()
    {
        var dispatcher = new KdcDispatcher(
            new KnownKdcs([new KdcEndpoint("dc1.contoso.com", _first.Endpoint.Port)]), TimeProvider.System, _logger,
                resolve: static (host, _) =>
            {
                host.ShouldBe("dc1.contoso.com");
                // Nothing listens on the first two addresses.
                return Task.FromResult(new[] { IPAddress.IPv6Loopback, IPAddress.Parse("127.77.1.1"), IPAddress.Loopback });
            });
        _dispatchers.Add(dispatcher);

        (await SendAsync(dispatcher)).ShouldBe(1);
    }

    [Fact]
    public async Task A_name_that_cannot_be_resolved_is_a_failure_of_that_KDC()
    {
        var dispatcher = new KdcDispatcher(
            new KnownKdcs([new KdcEndpoint("dc1.contoso.com")]), TimeProvider.System, _logger, resolve: static (_, _) =>
                throw new SocketException((int)SocketError.HostNotFound));
        _dispatchers.Add(dispatcher);

        (await Should.ThrowAsync<KerberosException>(() => SendAsync(dispatcher))).Detail
            .ShouldEndWith("dc1.contoso.com:88 has a name that cannot be resolved");
    }

    [Fact]
    public async Task A_KDC_is_reached_at_its_last_addresses_if_its_name_can_no_longer_be_resolved()
    {
        var asked = 0;
        var dispatcher = new KdcDispatcher(
            new KnownKdcs([new KdcEndpoint("dc1.contoso.com", _first.Endpoint.Port)]), TimeProvider.System, _logger,
            resolve: (_, _) => ++asked == 1 ? Task.FromResult(new[] { IPAddress.Loopback })
                : throw new SocketException((int)SocketError.TryAgain));
        _dispatchers.Add(dispatcher);
        await SendAsync(dispatcher);

        (await SendAsync(dispatcher)).ShouldBe(2);

        asked.ShouldBe(2);
        _first.Connections.Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_next_KDC_is_asked_if_a_host_name_is_too_long()
    {
        var tooLong = new KdcEndpoint(string.Join('.', Enumerable.Repeat(new string('a', 60), 5)));

        (await SendAsync(Dispatcher(tooLong, _second.Endpoint))).ShouldBe(_requests.Created);

        _logger.Events.Single(logged => logged.Id == 2102).Text.ShouldContain("has a name that cannot be resolved");
    }

    private Task<int> SendAsync(KdcDispatcher dispatcher, KdcRequestMode mode = KdcRequestMode.Hedged) =>
        dispatcher.SendAsync(Realm, mode, _requests.Create, TestContext.Current.CancellationToken);

    /// <summary>Returns time-outs that are long enough for a busy machine, except where the test waits for the time-out.</summary>
    private static KdcTiming TimingFor(string way) =>
        new() { AttemptTimeout = TimeSpan.FromSeconds(way is "silent" or "drip" ? 1 : 60), HedgeDelay = TimeSpan.FromSeconds(60),
            RestartTimeout = TimeSpan.Zero };

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
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(10, timeout.Token);
    }

    private sealed class MisnamedRequest : KdcRequest<int>
    {
        public override ReadOnlyMemory<byte> Message { get; } = new byte[16];

        public override int Check(ReadOnlyMemory<byte> reply) =>
            throw new KerberosException(new KerberosFailure { Reason = KerberosFailureReason.NameMismatch });
    }

    private sealed class KnownKdcs(IReadOnlyList<KdcEndpoint> kdcs) : IKdcLocator
    {
        public ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken) => new(kdcs);
    }
}
