using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using KcdDelegation.DirectoryServices.Client;
using KcdDelegation.Kerberos.Tests.Transport;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.DirectoryServices.Tests.Client;

/// <summary>The servers that DNS names, and their order.</summary>
public sealed class ServerListTests : IAsyncDisposable
{
    private const string OfControllers = "_ldap._tcp.dc._msdcs.test.example";
    private const string OfDirectories = "_ldap._tcp.test.example";

    private readonly FakeTimeProvider _time = new();
    private readonly Dictionary<string, byte[][]> _records = [];
    private readonly NameServer _dns;

    public ServerListTests() => _dns = new NameServer(query =>
        DnsAnswers.To(query, _records.GetValueOrDefault(DnsAnswers.GetQuestion(query), [])));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _dns.DisposeAsync();

    [Fact]
    public async Task Domain_controllers_are_asked_in_the_order_of_their_records()
    {
        _records[OfControllers] = [DnsAnswers.Srv(20, 0, 389, "dc2.test.example"), DnsAnswers.Srv(10, 0, 10389, "dc1.test.example")];
        _records[OfDirectories] = [DnsAnswers.Srv(1, 0, 389, "other.test.example")];

        (await FindAsync(CreateList())).ShouldBe(["dc1.test.example:10389", "dc2.test.example:389"]);
        // The record's port is the one without TLS.
        (await FindAsync(CreateList(options => options.UseTls = true))).ShouldBe(["dc1.test.example", "dc2.test.example"]);
        _dns.Questions.ShouldAllBe(name => name == OfControllers);
    }

    [Fact]
    public async Task Other_directories_are_found_by_the_name_of_the_domain()
    {
        _records[OfDirectories] = [DnsAnswers.Srv(1, 0, 389, "ldap.test.example")];

        (await FindAsync(CreateList())).ShouldBe(["ldap.test.example:389"]);
    }

    [Fact]
    public async Task A_domain_without_records_is_an_error_that_names_them()
    {
        var error = await Should.ThrowAsync<DirectoryException>(() => FindAsync(CreateList()));

        error.Failure.ShouldBe(DirectoryFailure.Unavailable);
        error.Message.ShouldContain("_ldap._tcp.dc._msdcs");
        error.Message.ShouldContain("test.example");
    }

    [Fact]
    public async Task Records_that_name_no_host_are_left_out_and_sixteen_servers_are_enough()
    {
        _records[OfControllers] =
        [
            DnsAnswers.Srv(0, 0, 389, "a b.test.example"), DnsAnswers.Srv(0, 0, 0, "no-service.test.example"),
            DnsAnswers.Srv(0, 0, 389, ""),
            .. Enumerable.Range(1, 14).Select(number => DnsAnswers.Srv(number, 0, 389, $"d{number}.x.test")),
        ];

        (await FindAsync(CreateList())).ShouldBe(Enumerable.Range(1, 14).Select(number => $"d{number}.x.test:389"));

        _records[OfControllers] = [.. Enumerable.Range(1, 18).Select(number => DnsAnswers.Srv(number, 0, 389, $"d{number}.x"))];
        (await FindAsync(CreateList())).Count.ShouldBe(16);
    }

    [Fact]
    public async Task The_records_are_kept_for_five_minutes_and_until_DNS_answers_again()
    {
        _records[OfControllers] = [DnsAnswers.Srv(1, 0, 389, "dc1.test.example")];
        var list = CreateList();
        (await FindAsync(list)).ShouldBe(["dc1.test.example:389"]);
        _records[OfControllers] = [DnsAnswers.Srv(1, 0, 389, "dc2.test.example")];

        _time.Advance(TimeSpan.FromMinutes(4));
        (await FindAsync(list)).ShouldBe(["dc1.test.example:389"]);
        _time.Advance(TimeSpan.FromMinutes(2));
        (await FindAsync(list)).ShouldBe(["dc2.test.example:389"]);

        _records.Clear();
        _time.Advance(TimeSpan.FromMinutes(6));
        (await FindAsync(list)).ShouldBe(["dc2.test.example:389"]);
        _records[OfControllers] = [DnsAnswers.Srv(1, 0, 389, "dc3.test.example")];
        (await FindAsync(list)).ShouldBe(["dc3.test.example:389"]);
    }

    [Fact]
    public async Task A_server_that_failed_is_last_for_a_minute_or_until_it_answers()
    {
        var (first, second) = (new DirectoryServer("dc1.test.example"), new DirectoryServer("dc2.test.example"));
        var list = CreateList(options =>
        {
            options.Servers.Add(first);
            options.Servers.Add(second);
        });
        list.ReportFailure(first);
        (await FindAsync(list)).ShouldBe(["dc2.test.example", "dc1.test.example"]);
        list.ReportFailure(second);
        (await FindAsync(list)).ShouldBe(["dc1.test.example", "dc2.test.example"]);
        list.ReportSuccess(second);
        (await FindAsync(list)).ShouldBe(["dc2.test.example", "dc1.test.example"]);
        _time.Advance(TimeSpan.FromSeconds(61));
        (await FindAsync(list)).ShouldBe(["dc1.test.example", "dc2.test.example"]);
        _dns.Questions.ShouldBeEmpty();
    }

    private static async Task<List<string>> FindAsync(ServerList list) =>
        [.. (await list.GetAsync(Stop)).Select(server => server.ToString())];

    private ServerList CreateList(Action<DirectoryClientOptions>? configure = null)
    {
        var options = new DirectoryClientOptions { Reader = null!, Domain = "test.example", TimeProvider = _time };
        configure?.Invoke(options);
        return new ServerList(options, new DnsClient(() => [_dns.Endpoint], TimeProvider.System));
    }

    // A name server on UDP.
    private sealed class NameServer : IAsyncDisposable
    {
        private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));
        private readonly Task _answering;

        public NameServer(Func<byte[], byte[]> answer) => _answering = AnswerAsync(answer);

        public IPEndPoint Endpoint => (IPEndPoint)_socket.Client.LocalEndPoint!;

        public ConcurrentQueue<string> Questions { get; } = [];

        public async ValueTask DisposeAsync()
        {
            _socket.Dispose();
            await _answering;
        }

        private async Task AnswerAsync(Func<byte[], byte[]> answer)
        {
            try
            {
                while (true)
                {
                    var query = await _socket.ReceiveAsync();
                    Questions.Enqueue(DnsAnswers.GetQuestion(query.Buffer));
                    await _socket.SendAsync(answer(query.Buffer), query.RemoteEndPoint);
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // The test ends.
            }
        }
    }
}
