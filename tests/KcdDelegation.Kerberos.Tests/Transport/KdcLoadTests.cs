using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Transport;
using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Transport;

/// <summary>Requests to KDCs that are busy, restarting, silent or unreachable.</summary>
public sealed class KdcLoadTests : IAsyncDisposable
{
    private const string Realm = "CONTOSO.COM";

    private readonly FakeKdc _kdc = new();
    private readonly EchoRequests _requests = new();
    private readonly CapturingLogger _logger = new();
    private readonly List<IAsyncDisposable> _disposables = [];
    private readonly List<FullListener> _full = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var disposable in _disposables)
            await disposable.DisposeAsync();
        _full.ForEach(full => full.Dispose());
        await _kdc.DisposeAsync();
    }

    [Fact]
    public async Task A_burst_of_requests_uses_at_most_eight_connections_to_a_KDC()
    {
        var (now, most) = (0, 0);
        var release = new Lock();
        _kdc.OnConnection = async (socket, token) =>
        {
            lock (release)
                most = Math.Max(most, ++now);
            await Task.Delay(10, token);
            lock (release)
                now--;
            await FakeKdc.AnswerAsync(socket, token);
        };
        var dispatcher = Dispatcher(new KdcTiming { SilenceInterval = TimeSpan.FromSeconds(30) }, _kdc.Endpoint);

        await Task.WhenAll(Enumerable.Range(0, 150).Select(_ => SendAsync(dispatcher)));

        most.ShouldBeInRange(2, 8);
        _kdc.Connections.Count.ShouldBe(150);
    }

    [Fact]
    public async Task A_request_that_waits_for_a_connection_does_not_mark_the_KDC_as_failed()
    {
        var busy = new TaskCompletionSource();
        await using var other = new FakeKdc();
        _kdc.OnConnection = async (socket, token) =>
        {
            await busy.Task.WaitAsync(token);
            await FakeKdc.AnswerAsync(socket, token);
        };
        var timing = new KdcTiming { MaxConnectionsPerKdc = 1, SilenceInterval = TimeSpan.FromSeconds(30),
            HedgeDelay = TimeSpan.FromMilliseconds(200) };
        var dispatcher = Dispatcher(timing, _kdc.Endpoint, other.Endpoint);
        var first = SendAsync(dispatcher, KdcRequestMode.OneAtATime);
        await UntilAsync(() => !_kdc.Connections.IsEmpty);

        await SendAsync(dispatcher);

        other.Connections.Count.ShouldBe(1);
        _logger.Events.ShouldNotContain(logged => logged.Id == 2102);
        busy.SetResult();
        await first;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_is_not_accepted_is_opened_again(bool isHedged)
    {
        var full = await FullAsync();
        using var stop = new CancellationTokenSource();
        var dispatcher = Dispatcher(new KdcTiming { SilenceInterval = TimeSpan.FromMilliseconds(300) }, full.Endpoint);
        var start = Stopwatch.GetTimestamp();
        var sending = SendAsync(dispatcher, ModeFor(isHedged));
        await Task.Delay(100, TestContext.Current.CancellationToken);
        var serving = full.ServeAsync(stop.Token);

        await sending;

        // The system repeats the first SYN after one second.
        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(0.9));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
    }

    [Fact]
    public async Task A_silent_connection_is_followed_by_a_second_one_to_the_same_KDC()
    {
        AnswerFrom(connection: 2);
        var dispatcher = Dispatcher(new KdcTiming { SilenceInterval = TimeSpan.FromMilliseconds(100) }, _kdc.Endpoint);

        await SendAsync(dispatcher).WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);

        _kdc.Connections.Count.ShouldBe(2);
        _requests.Created.ShouldBe(2);
    }

    [Fact]
    public async Task Silent_connections_do_not_use_up_the_connections_to_a_KDC()
    {
        AnswerFrom(connection: 9);
        var dispatcher = Dispatcher(new KdcTiming { SilenceInterval = TimeSpan.FromMilliseconds(100) }, _kdc.Endpoint);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SendAsync(dispatcher)))
            .WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_request_that_proves_a_key_is_sent_once_however_slow_the_KDC_is()
    {
        _kdc.OnConnection = async (socket, token) =>
        {
            await Task.Delay(500, token);
            await FakeKdc.AnswerAsync(socket, token);
        };
        var dispatcher = Dispatcher(new KdcTiming { SilenceInterval = TimeSpan.FromMilliseconds(50) }, _kdc.Endpoint);

        await SendAsync(dispatcher, KdcRequestMode.OneAtATime);

        _requests.Created.ShouldBe(1);
        _kdc.Connections.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_KDC_that_restarts_is_asked_again_within_the_budget(bool isHedged)
    {
        var endpoint = await FakeKdc.DeadAsync();
        var sending = SendAsync(Dispatcher(new KdcTiming(), endpoint), ModeFor(isHedged));
        await Task.Delay(400, TestContext.Current.CancellationToken);
        sending.IsCompleted.ShouldBeFalse();

        await using var restarted = new FakeKdc(endpoint.Port);

        await sending.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        restarted.Connections.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_on_a_connection_that_a_restarting_KDC_closes_is_sent_again_unless_it_proves_a_key()
    {
        var closed = 0;
        _kdc.OnConnection = (socket, token) =>
            Interlocked.Increment(ref closed) % 2 == 1 ? FakeKdc.CloseAsync(socket, token) : FakeKdc.AnswerAsync(socket, token);

        await SendAsync(Dispatcher(new KdcTiming(), _kdc.Endpoint));

        var error = await Should.ThrowAsync<KerberosException>(() =>
            SendAsync(Dispatcher(new KdcTiming(), _kdc.Endpoint), KdcRequestMode.OneAtATime));
        error.Detail.ShouldEndWith("closed the connection without an answer");
        _requests.Created.ShouldBe(3);
    }

    [Fact]
    public async Task A_request_that_proves_a_key_is_not_repeated_if_one_of_the_KDCs_may_have_received_it()
    {
        _kdc.OnConnection = FakeKdc.CloseAsync;
        var dispatcher = Dispatcher(new KdcTiming(), _kdc.Endpoint, await FakeKdc.DeadAsync());

        await Should.ThrowAsync<KerberosException>(() => SendAsync(dispatcher, KdcRequestMode.OneAtATime));

        _kdc.Connections.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_KDC_that_has_been_down_for_a_while_fails_requests_at_once()
    {
        var timing = new KdcTiming { RetryFailedAfter = TimeSpan.FromMilliseconds(500), RestartTimeout = TimeSpan.FromMilliseconds(600) };
        var dispatcher = Dispatcher(timing, await FakeKdc.DeadAsync());
        (await Should.ThrowAsync<KerberosException>(() => SendAsync(dispatcher))).Detail.ShouldEndWith("refused the connection");
        _requests.Created.ShouldBeGreaterThan(1);
        await Task.Delay(500, TestContext.Current.CancellationToken);
        var before = _requests.Created;

        await Should.ThrowAsync<KerberosException>(() => SendAsync(dispatcher));

        _requests.Created.ShouldBe(before + 1);
    }

    public static TheoryData<int, int, string> SilentKdcs
    {
        get
        {
            var data = new TheoryData<int, int, string>();
            foreach (var kind in new[] { "no SYN-ACK", "no answer", "no datagram", "mixed" })
            {
                data.Add(12, 12, kind);
                foreach (var index in new[] { 0, 15, 30 })
                    data.Add(30, index, kind);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(SilentKdcs))]
    public async Task The_first_ticket_comes_within_five_seconds_although_many_KDCs_are_silent(int silent, int index, string kind)
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");
        List<KdcEndpoint> kdcs = [.. await Task.WhenAll(Enumerable.Range(0, silent).Select(i => SilentAsync(kind, i)))];
        kdcs.Insert(index, kind == "no datagram" ? realm.UdpEndpoint : realm.Endpoint);
        using var account = realm.CreateServiceAccount("gw");
        await using var client = new S4UClient(new S4UClientOptions { Realm = realm.Name, Account = account,
            Kdcs = { [realm.Name] = kdcs } });
        var start = Stopwatch.GetTimestamp();

        await client.GetTicketAsync(KerberosPrincipal.Principal("ada", realm.Name), ServicePrincipalName.Parse("HTTP/app"),
            TestContext.Current.CancellationToken);

        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task The_key_is_proven_to_the_KDC_that_answered_first_and_to_no_other()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");
        var proofs = new ConcurrentQueue<int>();
        Func<Socket, CancellationToken, Task> Forward(int kdc, int delay) => async (socket, token) =>
        {
            var request = await FakeKdc.ReadRequestAsync(socket, token);
            var message = KdcRequestMessage.Decode(request);
            await Task.Delay(delay, token);
            if (message.PaData.Find(PaDataType.EncryptedTimestamp) is not null)
            {
                proofs.Enqueue(kdc);
                // Slow enough for a hedged request to go to other KDCs and for a second connection.
                await Task.Delay(1500, token);
            }
            await FakeKdc.ForwardAsync(socket, request, realm.Endpoint, token);
        };
        await using var second = new FakeKdc { OnConnection = Forward(2, delay: 0) };
        await using var third = new FakeKdc { OnConnection = Forward(3, delay: 0) };
        _kdc.OnConnection = Forward(1, delay: 600);
        using var account = realm.CreateServiceAccount("gw");
        await using var client = new S4UClient(new S4UClientOptions
        {
            Realm = realm.Name,
            Account = account,
            Kdcs = { [realm.Name] = [_kdc.Endpoint, second.Endpoint, third.Endpoint] },
        });

        await client.LogOnAsync(TestContext.Current.CancellationToken);

        proofs.ShouldBe([2]);
    }

    [Fact]
    public async Task A_stall_of_the_only_KDC_fails_no_request()
    {
        var stall = Task.Delay(600, TestContext.Current.CancellationToken);
        _kdc.OnConnection = async (socket, token) =>
        {
            await stall;
            await FakeKdc.AnswerAsync(socket, token);
        };
        var dispatcher = Dispatcher(new KdcTiming(), _kdc.Endpoint);
        var start = Stopwatch.GetTimestamp();

        await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => SendAsync(dispatcher)));

        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_closed_UDP_port_is_followed_by_TCP_at_once()
    {
        await using var kdc = new FakeKdc(hasUdp: false);
        var dispatcher = Dispatcher(new KdcTiming { DatagramTimeout = TimeSpan.FromSeconds(60) }, kdc.UdpEndpoint);

        await SendAsync(dispatcher).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        kdc.Connections.Count.ShouldBe(1);
        _logger.Events.ShouldContain(logged => logged.Text.Contains("has a closed UDP port", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lost_datagram_is_sent_again_with_the_same_bytes()
    {
        _kdc.OnDatagram = request => _kdc.Datagrams.Count < 2 ? [] : [FakeKdc.Answer(request)];
        var timing = new KdcTiming { DatagramResendInterval = TimeSpan.FromMilliseconds(50), DatagramTimeout = TimeSpan.FromSeconds(60) };

        (await SendAsync(Dispatcher(timing, _kdc.UdpEndpoint))).ShouldBe(1);

        _kdc.Connections.ShouldBeEmpty();
        _kdc.Datagrams.Count.ShouldBe(2);
        _kdc.Datagrams.First().ShouldBe(_kdc.Datagrams.Last());
    }

    [Theory]
    [InlineData(false, "has a closed UDP port, and over TCP it refused the connection")]
    [InlineData(true, "did not answer over UDP, and over TCP it closed the connection without an answer")]
    public async Task The_error_distinguishes_UDP_from_TCP(bool hasUdp, string expected)
    {
        var kdc = new FakeKdc { OnConnection = FakeKdc.CloseAsync };
        var endpoint = kdc.UdpEndpoint;
        if (hasUdp)
            _disposables.Add(kdc);
        else
            await kdc.DisposeAsync();
        var timing = new KdcTiming { DatagramTimeout = TimeSpan.FromMilliseconds(100), RestartTimeout = TimeSpan.Zero };

        var error = await Should.ThrowAsync<KerberosException>(() => SendAsync(Dispatcher(timing, endpoint)));

        error.Detail.ShouldBe($"no KDC of CONTOSO.COM gave a usable answer: {endpoint} {expected}");
    }

    [Fact]
    public async Task A_KDC_that_is_silent_over_UDP_and_TCP_is_described_with_both()
    {
        _kdc.OnConnection = FakeKdc.SilenceAsync;
        var timing = new KdcTiming { DatagramTimeout = TimeSpan.FromMilliseconds(100),
            LastAttemptTimeout = TimeSpan.FromMilliseconds(500) };

        var error = await Should.ThrowAsync<KerberosException>(() => SendAsync(Dispatcher(timing, _kdc.UdpEndpoint)));

        error.Detail.ShouldEndWith("did not answer over UDP, and over TCP it accepted the connection but did not answer within 0.5 s");
    }

    [Fact]
    public async Task Replies_that_every_KDC_sends_alike_mark_no_KDC_as_failed()
    {
        await using var other = new FakeKdc { OnConnection = FakeKdc.GarbageAsync };
        _kdc.OnConnection = FakeKdc.GarbageAsync;
        var dispatcher = Dispatcher(new KdcTiming(), _kdc.Endpoint, other.Endpoint);
        await Should.ThrowAsync<KerberosException>(() => SendAsync(dispatcher));
        _kdc.OnConnection = other.OnConnection = FakeKdc.AnswerAsync;

        await SendAsync(dispatcher);

        _kdc.Connections.Count.ShouldBe(2);
        other.Connections.Count.ShouldBe(1);
        _logger.Events.ShouldNotContain(logged => logged.Id == 2102);
    }

    [Fact]
    public async Task A_KDC_whose_reply_is_invalid_where_another_one_is_valid_is_marked_as_failed()
    {
        await using var other = new FakeKdc();
        _kdc.OnConnection = FakeKdc.GarbageAsync;
        var dispatcher = Dispatcher(new KdcTiming(), _kdc.Endpoint, other.Endpoint);

        await SendAsync(dispatcher);
        await SendAsync(dispatcher);

        _kdc.Connections.Count.ShouldBe(1);
        _logger.Events.Single(logged => logged.Id == 2102).Text.ShouldContain($"{_kdc.Endpoint} of {Realm} sent a reply that was rejected");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("A/B")]
    [InlineData("A@B")]
    [InlineData("A%B")]
    public async Task A_realm_of_the_wire_that_is_no_realm_name_is_a_rejected_reply_and_not_looked_up(string realm)
    {
        var lookedUp = false;
        var dispatcher = Track(new KdcDispatcher(new FunctionLocator(() => lookedUp = true), TimeProvider.System, _logger));

        var error = await Should.ThrowAsync<KerberosException>(
            () => dispatcher.SendAsync(realm, KdcRequestMode.Hedged, _requests.Create, TestContext.Current.CancellationToken));

        error.Reason.ShouldBe(KerberosFailureReason.ReplyRejected);
        error.Detail.ShouldContain($"'{realm}'");
        lookedUp.ShouldBeFalse();
    }

    private static KdcRequestMode ModeFor(bool isHedged) => isHedged ? KdcRequestMode.Hedged : KdcRequestMode.OneAtATime;

    private void AnswerFrom(int connection)
    {
        var count = 0;
        _kdc.OnConnection = (socket, token) =>
            Interlocked.Increment(ref count) < connection ? FakeKdc.SilenceAsync(socket, token) : FakeKdc.AnswerAsync(socket, token);
    }

    private async Task<KdcEndpoint> SilentAsync(string kind, int number) => (kind, number % 3) switch
    {
        ("no SYN-ACK", _) or ("mixed", 0) => (await FullAsync()).Endpoint,
        ("no answer", _) or ("mixed", 1) => Silent().Endpoint,
        _ => Silent().UdpEndpoint,
    };

    private FakeKdc Silent()
    {
        var kdc = new FakeKdc { OnConnection = FakeKdc.SilenceAsync };
        lock (_disposables)
            _disposables.Add(kdc);
        return kdc;
    }

    private async Task<FullListener> FullAsync()
    {
        var full = await FullListener.CreateAsync();
        lock (_full)
            _full.Add(full);
        return full;
    }

    private Task<int> SendAsync(KdcDispatcher dispatcher, KdcRequestMode mode = KdcRequestMode.Hedged) =>
        dispatcher.SendAsync(Realm, mode, _requests.Create, TestContext.Current.CancellationToken);

    private KdcDispatcher Dispatcher(KdcTiming timing, params KdcEndpoint[] kdcs) =>
        Track(new KdcDispatcher(new StaticKdcs([new(Realm, kdcs)], _logger), TimeProvider.System, _logger, timing));

    private KdcDispatcher Track(KdcDispatcher dispatcher)
    {
        _disposables.Insert(0, dispatcher);
        return dispatcher;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(10, timeout.Token);
    }

    private sealed class FunctionLocator(Action find) : IKdcLocator
    {
        public ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken)
        {
            find();
            return new([]);
        }
    }
}
