using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Faults;

/// <summary>Two KDCs, and the first one goes bad under load: 300 requests for distinct users at ten a second, the fault at the 50th. None
/// may fail, and none may take over a second and a half (MIT's own client takes 14 s when a KDC is frozen).</summary>
[Collection(Lab.FaultyKdcs)]
public sealed class FailoverTests : IAsyncLifetime
{
    private const int Requests = 300;
    private const int FaultAt = 50;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1.5);

    public async ValueTask InitializeAsync()
    {
        Lab.Require("mit", "mit-faults");
        await Lab.RunScriptAsync("mit", ["users", "300"], TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public Task No_request_fails_when_the_first_KDC_is_killed() =>
        RunAsync(LabFaults.Second, () =>
            Lab.RunScriptAsync("mit-faults", ["kdc2", "kill"], CancellationToken.None), () =>
            Lab.RunScriptAsync("mit-faults", ["kdc2", "start"], CancellationToken.None));

    [Fact]
    public Task No_request_fails_when_the_first_KDC_is_frozen() =>
        RunAsync(LabFaults.TcpOnly, () =>
            Lab.RunScriptAsync("mit-faults", ["tcponly", "stop"], CancellationToken.None), () =>
            Lab.RunScriptAsync("mit-faults", ["tcponly", "cont"], CancellationToken.None));

    [Fact]
    public async Task No_request_fails_when_the_first_KDC_answers_garbage()
    {
        await using var proxy = new KdcProxy(LabRealm.Mit.Kdc);
        await RunAsync(proxy.Endpoint, () =>
        {
            proxy.AnswersGarbage = true;
            return Task.CompletedTask;
        }, () => Task.CompletedTask);
        proxy.Forwarded.ShouldBeGreaterThan(FaultAt);
    }

    private static async Task RunAsync(KdcEndpoint first, Func<Task> fault, Func<Task> mend)
    {
        var realm = LabRealm.Mit;
        using var account = ServiceAccount.FromKeytab(realm.Connector, realm.Keytab("connector"));
        var options = new S4UClientOptions { Realm = realm.Realm, Account = account };
        options.Kdcs[realm.Realm] = [first, realm.Kdc];
        await using var client = new S4UClient(options);
        await client.LogOnAsync(TestContext.Current.CancellationToken);
        var service = ServicePrincipalName.Parse(realm.Spn("web"));
        var requests = new List<Task<TimeSpan>>();
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var faulting = Task.CompletedTask;
        try
        {
            for (var i = 1; i <= Requests; i++)
            {
                if (i == FaultAt)
                    faulting = fault();
                requests.Add(AskAsync(client, KerberosPrincipal.Principal($"u{i:D5}", realm.Realm), service));
                await ticks.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }
            var times = await Task.WhenAll(requests);
            await faulting;
            times.Max().ShouldBeLessThan(Longest);
        }
        finally
        {
            await faulting;
            await mend();
        }
    }

    private static async Task<TimeSpan> AskAsync(S4UClient client, KerberosPrincipal user, ServicePrincipalName service)
    {
        var start = Stopwatch.GetTimestamp();
        var ticket = await client.GetTicketAsync(user, service, TestContext.Current.CancellationToken);
        ticket.User.ShouldBe(user);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Passes exchanges on to a real KDC until it is told to answer garbage.</summary>
    private sealed class KdcProxy : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly KdcEndpoint _kdc;
        private readonly Task _loop;
        private int _forwarded;

        public KdcProxy(KdcEndpoint kdc)
        {
            _kdc = kdc;
            _listener.Start();
            _loop = AcceptAsync();
        }

        public KdcEndpoint Endpoint => new("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port);

        public bool AnswersGarbage { get; set; }

        public int Forwarded => _forwarded;

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _loop;
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                    _ = ServeAsync(await _listener.AcceptTcpClientAsync());
            }
            catch (SocketException)
            {
                // stopped
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            using (client)
            {
                try
                {
                    var stream = client.GetStream();
                    if (AnswersGarbage)
                    {
                        await stream.WriteAsync((byte[])[0, 0, 1, 0, .. RandomNumberGenerator.GetBytes(256)]);
                        return;
                    }
                    Interlocked.Increment(ref _forwarded);
                    using var kdc = new TcpClient();
                    await kdc.ConnectAsync(_kdc.Host, _kdc.Port);
                    var upstream = kdc.GetStream();
                    _ = stream.CopyToAsync(upstream);
                    await upstream.CopyToAsync(stream);
                }
                catch (IOException)
                {
                    // The client leaves as soon as it has what it wants.
                }
            }
        }
    }
}
