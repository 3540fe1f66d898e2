using System.Net;
using System.Net.Sockets;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Recording;
using KcdDelegation.Kerberos.Tests.Transport;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Kerberos.Tests.Recording;

public sealed class ExchangeRecorderTests : IAsyncDisposable
{
    private const string Realm = "CONTOSO.COM";

    private readonly FakeKdc _first = new();
    private readonly FakeKdc _second = new();
    private readonly EchoRequests _requests = new();
    private readonly ExchangeRecorder _recorder = new(TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task A_silent_KDC_and_the_KDC_that_answered_instead_are_both_recorded()
    {
        _first.OnConnection = FakeKdc.SilenceAsync;

        await SendAsync(new KdcTiming { HedgeDelay = TimeSpan.FromMilliseconds(50) }, _first.Endpoint, _second.Endpoint);

        var exchanges = _recorder.GetExchanges();
        exchanges.Select(exchange => exchange.Kdc.Port).ShouldBe([_first.Endpoint.Port, _second.Endpoint.Port]);
        exchanges[0].Replies.ShouldBeEmpty();
        exchanges[0].Failure.ShouldBe("accepted the connection but did not answer before another KDC answered");
        exchanges[1].Replies.Length.ShouldBe(1);
        exchanges[1].Failure.ShouldBeNull();
        exchanges.ShouldAllBe(exchange => exchange.Dispatch.Stage == KerberosExchange.LogOn && exchange.Dispatch.Realm == Realm);
    }

    [Fact]
    public async Task A_KDC_that_does_not_answer_in_time_is_recorded_with_the_time_out()
    {
        _first.OnConnection = FakeKdc.SilenceAsync;
        var timing = new KdcTiming { LastAttemptTimeout = TimeSpan.FromMilliseconds(100) };

        await Should.ThrowAsync<KerberosException>(() => SendAsync(timing, _first.Endpoint));

        var exchange = _recorder.GetExchanges().ShouldHaveSingleItem();
        exchange.Failure.ShouldBe("accepted the connection but did not answer within 0.1 s");
        exchange.Kdc.Address!.ToString().ShouldBe("127.0.0.1");
    }

    [Fact]
    public async Task A_KDC_that_refuses_the_connection_again_and_again_is_one_record()
    {
        var refusing = await FakeKdc.DeadAsync();
        var timing = new KdcTiming { RestartTimeout = TimeSpan.FromMilliseconds(200) };

        await Should.ThrowAsync<KerberosException>(() => SendAsync(timing, refusing));

        var exchange = _recorder.GetExchanges().ShouldHaveSingleItem();
        exchange.Request.ShouldBeNull();
        exchange.Failure.ShouldBe("refused the connection");
        exchange.Repetitions.Count.ShouldBeGreaterThan(0);
        exchange.Repetitions.LastOffset.ShouldBeGreaterThan(exchange.Offset);
    }

    [Fact]
    public async Task A_host_that_cannot_be_resolved_is_recorded()
    {
        await Should.ThrowAsync<KerberosException>(() => SendAsync(new KdcTiming(), new KdcEndpoint("dc1.contoso.com")));

        var exchange = _recorder.GetExchanges().ShouldHaveSingleItem();
        exchange.Kdc.Host.ShouldBe("dc1.contoso.com");
        exchange.Kdc.Address.ShouldBeNull();
        exchange.Failure.ShouldBe("has a name that cannot be resolved");
    }

    [Fact]
    public async Task A_silent_KDC_over_UDP_is_recorded_before_the_request_over_TCP()
    {
        var timing = new KdcTiming { DatagramTimeout = TimeSpan.FromMilliseconds(50), RestartTimeout = TimeSpan.Zero };
        using var silent = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)silent.Client.LocalEndPoint!).Port;

        await Should.ThrowAsync<KerberosException>(() => SendAsync(timing, new KdcEndpoint("127.0.0.1", port, KdcTransport.Udp)));

        var exchanges = _recorder.GetExchanges();
        exchanges.Select(exchange => exchange.Failure)
            .ShouldBe(["did not answer over UDP", "did not answer over UDP, and over TCP it refused the connection"]);
        exchanges[0].Kdc.Address.ShouldNotBeNull();
        exchanges[1].Kdc.Address.ShouldBeNull();
    }

    [Fact]
    public async Task A_KDC_that_answers_with_bytes_of_another_kind_is_recorded_with_the_check()
    {
        _first.OnConnection = FakeKdc.GarbageAsync;

        await SendAsync(new KdcTiming(), _first.Endpoint, _second.Endpoint);

        var rejected = _recorder.GetExchanges()[0].Replies.ShouldHaveSingleItem();
        rejected.Rejection.ShouldBe(KerberosFailureReason.ReplyRejected);
        rejected.RejectedBecause!.ShouldStartWith("AS-REP is ");
        rejected.Ticket.ShouldBeNull();
        rejected.Error.ShouldBeNull();
    }

    [Fact]
    public void A_malformed_entry_of_pre_authentication_data_has_its_type_and_size_only()
    {
        var entries = RecordedPaData.FromList(
        [
            new PaData(PaDataType.ForUser, new byte[] { 0x30, 0x80, 1, 2 }), new PaData((PaDataType)9999, new byte[5]),
            new PaData(PaDataType.EtypeInfo2, new byte[] { 0x30, 0x05, 1 }),
        ]);

        entries.Select(entry => (entry.Type, entry.Size))
            .ShouldBe([(PaDataType.ForUser, 4), ((PaDataType)9999, 5), (PaDataType.EtypeInfo2, 3)]);
        entries.ShouldAllBe(entry => entry.User == null && entry.EncryptionTypes == null);
    }

    private async Task<int> SendAsync(KdcTiming timing, params KdcEndpoint[] kdcs)
    {
        await using var dispatcher = new KdcDispatcher(
            new KnownKdcs(kdcs), TimeProvider.System, NullLogger.Instance, timing,
            (host, _) => IPAddress.TryParse(host, out var address)
                ? Task.FromResult<IPAddress[]>([address])
                : throw new SocketException((int)SocketError.HostNotFound));
        return await dispatcher.SendAsync(
            Realm, KdcRequestMode.Hedged, _requests.Create, _recorder.StartDispatch(KerberosExchange.LogOn, Realm),
            TestContext.Current.CancellationToken);
    }

    private sealed class KnownKdcs(IReadOnlyList<KdcEndpoint> kdcs) : IKdcLocator
    {
        public ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken) => new(kdcs);
    }
}
