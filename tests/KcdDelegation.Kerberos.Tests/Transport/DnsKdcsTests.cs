using System.Buffers.Binary;
using System.Net.Sockets;
using System.Net;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.Kerberos.Tests.Transport;

public sealed class DnsKdcsTests : IAsyncDisposable
{
    private const string Realm = "CONTOSO.COM";

    private readonly FakeKdc _server = new();
    private readonly FakeTimeProvider _time = new();
    private readonly CapturingLogger _logger = new();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task KDCs_are_the_TCP_SRV_targets_in_order_of_priority()
    {
        _server.OnDatagram = query =>
            [DnsAnswers.To(query, DnsAnswers.Srv(2, 0, 88, "dc2.contoso.com"), DnsAnswers.Srv(1, 0, 1088, "dc1.contoso.com"))];

        (await FindAsync(Locator())).ShouldBe([new KdcEndpoint("dc1.contoso.com", 1088), new KdcEndpoint("dc2.contoso.com", 88)]);
        DnsAnswers.GetQuestion(_server.Datagrams.ShouldHaveSingleItem()).ShouldBe("_kerberos._tcp.CONTOSO.COM");
    }

    [Fact]
    public async Task UDP_SRV_records_are_used_if_there_are_no_TCP_records()
    {
        _server.OnDatagram = query => [DnsAnswers.GetQuestion(query).Contains("_tcp", StringComparison.Ordinal)
            ? DnsAnswers.WithCode(query, 3)
            : DnsAnswers.To(query, DnsAnswers.Srv(0, 0, 88, "dc1.contoso.com"))];

        (await FindAsync(Locator())).ShouldBe([new KdcEndpoint("dc1.contoso.com", 88, KdcTransport.Udp)]);
    }

    [Fact]
    public async Task Targets_that_are_not_host_names_are_skipped()
    {
        _server.OnDatagram = query =>
            [DnsAnswers.To(query, DnsAnswers.Srv(0, 0, 88, "."), DnsAnswers.Srv(0, 0, 0, "dc1.contoso.com"),
                DnsAnswers.Srv(0, 0, 88, "a b"))];

        (await FindAsync(Locator())).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_answer_is_cached_for_its_time_to_live()
    {
        _server.OnDatagram = query =>
            [DnsAnswers.To(query, DnsAnswers.Srv(0, 0, 88, "dc1.contoso.com", ttl: 600),
                DnsAnswers.Srv(0, 0, 88, "dc2.contoso.com", ttl: 100))];
        var locator = Locator();

        await FindAsync(locator);
        _time.Advance(TimeSpan.FromSeconds(99));
        await FindAsync(locator, "contoso.com");
        _server.Datagrams.Count.ShouldBe(1);

        _time.Advance(TimeSpan.FromSeconds(2));
        await FindAsync(locator);
        _server.Datagrams.Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_empty_answer_is_cached_for_a_minute()
    {
        _server.OnDatagram = query => [DnsAnswers.WithCode(query, 3)];
        var locator = Locator();

        (await FindAsync(locator)).ShouldBeEmpty();
        (await FindAsync(locator)).ShouldBeEmpty();
        _server.Datagrams.Count.ShouldBe(2);

        _time.Advance(TimeSpan.FromSeconds(61));
        _server.OnDatagram = query => [DnsAnswers.To(query, DnsAnswers.Srv(0, 0, 88, "dc1.contoso.com"))];
        (await FindAsync(locator)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task While_DNS_fails_the_previous_answer_stays_in_use()
    {
        _server.OnDatagram = query => [DnsAnswers.To(query, DnsAnswers.Srv(0, 0, 88, "dc1.contoso.com"))];
        var locator = Locator();
        await FindAsync(locator);

        _time.Advance(TimeSpan.FromMinutes(11));
        _server.OnDatagram = query => [DnsAnswers.WithCode(query, 2)];

        (await FindAsync(locator)).ShouldBe([new KdcEndpoint("dc1.contoso.com")]);
        _logger.Events.Where(e => e.Level == LogLevel.Warning).ShouldHaveSingleItem().Text.ShouldContain("answered with DNS error 2");
    }

    [Fact]
    public async Task A_DNS_failure_without_a_previous_answer_is_a_transient_error()
    {
        _server.OnDatagram = query => [DnsAnswers.WithCode(query, 2)];

        var error = await Should.ThrowAsync<KerberosException>(() => FindAsync(Locator()));

        error.Reason.ShouldBe(KerberosFailureReason.KdcNotFound);
        error.IsTransient.ShouldBeTrue();
        error.Detail.ShouldContain("_kerberos._tcp.CONTOSO.COM: the name server answered with DNS error 2");
    }

    [Fact]
    public async Task Without_a_name_server_the_error_says_so() =>
        (await Should.ThrowAsync<KerberosException>(() => FindAsync(new DnsKdcs(new DnsClient(() => [], _time), _time, _logger))))
            .Detail.ShouldContain("the name server is not known");

    [Fact]
    public async Task The_next_name_server_is_asked_after_an_unreachable_one()
    {
        var dead = await FakeKdc.DeadAsync();
        _server.OnDatagram = query => [DnsAnswers.To(query, DnsAnswers.Srv(0, 0, 88, "dc1.contoso.com"))];
        var servers = new[] { new IPEndPoint(IPAddress.Loopback, dead.Port), new IPEndPoint(IPAddress.Loopback, _server.Endpoint.Port) };

        (await FindAsync(new DnsKdcs(new DnsClient(() => servers, _time), _time, _logger))).Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_next_name_server_is_asked_after_a_silent_one()
    {
        await using var silent = new FakeKdc();
        _server.OnDatagram = query => [DnsAnswers.To(query, DnsAnswers.Srv(0, 0, 88, "dc1.contoso.com"))];
        var servers = new[] { new IPEndPoint(IPAddress.Loopback, silent.Endpoint.Port),
            new IPEndPoint(IPAddress.Loopback, _server.Endpoint.Port) };

        (await FindAsync(new DnsKdcs(new DnsClient(() => servers, TimeProvider.System), _time, _logger))).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Datagrams_that_answer_another_question_are_ignored()
    {
        _server.OnDatagram = query =>
        {
            var forged = DnsAnswers.To(query, DnsAnswers.Srv(0, 0, 88, "dc.evil.example"));
            forged[0] ^= 1;
            return [forged, [], DnsAnswers.To(query, DnsAnswers.Srv(0, 0, 88, "dc1.contoso.com"))];
        };

        (await FindAsync(Locator())).ShouldBe([new KdcEndpoint("dc1.contoso.com")]);
    }

    [Fact]
    public async Task A_truncated_answer_is_requested_again_over_TCP()
    {
        _server.OnDatagram = query => [DnsAnswers.Truncated(query)];
        _server.OnConnection = async (socket, token) =>
        {
            await using var stream = new NetworkStream(socket);
            var header = new byte[2];
            await stream.ReadExactlyAsync(header, token);
            var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(header)];
            await stream.ReadExactlyAsync(query, token);
            var answer = DnsAnswers.To(query,
                Enumerable.Range(0, 60).Select(i => DnsAnswers.Srv(i, 0, 88, $"dc{i}.contoso.com")).ToArray());
            BinaryPrimitives.WriteUInt16BigEndian(header, (ushort)answer.Length);
            await stream.WriteAsync(header, token);
            await stream.WriteAsync(answer, token);
        };

        var kdcs = await FindAsync(Locator());

        kdcs.Count.ShouldBe(32);
        kdcs[31].ShouldBe(new KdcEndpoint("dc31.contoso.com"));
    }

    [Fact]
    public async Task Concurrent_requests_share_one_query()
    {
        _server.OnDatagram = query => [DnsAnswers.To(query, DnsAnswers.Srv(0, 0, 88, "dc1.contoso.com"))];
        var locator = Locator();

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => FindAsync(locator)));

        _server.Datagrams.Count.ShouldBe(1);
    }

    private static async Task<IReadOnlyList<KdcEndpoint>> FindAsync(DnsKdcs locator, string realm = Realm) =>
        await locator.FindAsync(realm, TestContext.Current.CancellationToken);

    private DnsKdcs Locator() =>
        new(new DnsClient(() => [new IPEndPoint(IPAddress.Loopback, _server.Endpoint.Port)], _time), _time, _logger);
}
