using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Tests WebSockets, event streams and gRPC-Web through plain YARP to a backend with https.</summary>
public sealed class PlainYarpTests
{
    public static TheoryData<string, string?, HttpVersionPolicy?> Versions => new()
    {
        // The version in front of the gateway; the version and the policy of the cluster, null for YARP's defaults.
        { "1.1", null, null },
        { "2.0", null, null },
        { "1.1", "1.1", HttpVersionPolicy.RequestVersionExact },
        { "2.0", "1.1", HttpVersionPolicy.RequestVersionExact },
        { "1.1", "1.1", HttpVersionPolicy.RequestVersionOrHigher },
        { "2.0", "1.1", HttpVersionPolicy.RequestVersionOrHigher },
        { "1.1", "2", HttpVersionPolicy.RequestVersionOrLower },
        { "2.0", "3", HttpVersionPolicy.RequestVersionOrLower },
    };

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_WebSocket_reaches_the_backend_as_the_user(string front, string? version, HttpVersionPolicy? policy)
    {
        await using var realm = GatewayRealm.Start();
        await using var backend = await KerberosBackend.StartAsync(realm, GatewayRealm.Service);
        await using var gateway = await PlainGateway.StartAsync(realm, [backend], cluster => version is null ? cluster
            : cluster with { HttpRequest = new ForwarderRequestConfig { Version = ParseVersion(version), VersionPolicy = policy } });
        using var invoker = gateway.CreateInvoker();
        using var socket = new ClientWebSocket();
        (socket.Options.HttpVersion, socket.Options.HttpVersionPolicy) = (Version.Parse(front), HttpVersionPolicy.RequestVersionExact);
        await socket.ConnectAsync(
            new UriBuilder(gateway.Url) { Scheme = "wss", Path = "/socket", Query = "as=ada" }.Uri, invoker,
            TestContext.Current.CancellationToken);

        (await ReceiveAsync(socket)).ShouldBe("ada");
        foreach (var message in (string[])["one", "two"])
        {
            await socket.SendAsync(
                Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
            (await ReceiveAsync(socket)).ShouldBe(message);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        socket.CloseStatusDescription.ShouldBe("bye");
        var received = backend.Received.Single();
        (received.Method, received.Protocol, received.User).ShouldBe(("GET", "HTTP/1.1", "ada"));
        gateway.Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Events_arrive_one_by_one(string front)
    {
        await using var realm = GatewayRealm.Start();
        await using var backend = await KerberosBackend.StartAsync(realm, GatewayRealm.Service);
        await using var gateway = await PlainGateway.StartAsync(realm, [backend]);
        using var invoker = gateway.CreateInvoker();
        using var request = CreateRequest(HttpMethod.Get, new Uri(gateway.Url, "/events?as=ada"), front);
        using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        for (var i = 1; i <= 3; i++)
        {
            // The backend sends the next event only after this one has arrived.
            (await reader.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe($"data: ada {i}");
            (await reader.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("");
            backend.NextEvent.Release();
        }
        (await reader.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBeNull();
        backend.Received.Single().User.ShouldBe("ada");
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Messages_of_gRPC_Web_arrive_one_by_one(string front)
    {
        await using var realm = GatewayRealm.Start();
        await using var backend = await KerberosBackend.StartAsync(realm, GatewayRealm.Service);
        await using var gateway = await PlainGateway.StartAsync(realm, [backend]);
        using var invoker = gateway.CreateInvoker();
        using var request = CreateRequest(HttpMethod.Post, new Uri(gateway.Url, "/demo.Greeter/Count?as=ada"), front);
        request.Content = new ByteArrayContent(KerberosBackend.CreateFrame(0, "hello "u8));
        request.Content.Headers.ContentType = new("application/grpc-web+proto");
        request.Headers.Add("X-Grpc-Web", "1");
        using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/grpc-web+proto");
        await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        for (var i = 1; i <= 3; i++)
        {
            (await ReadFrameAsync(stream)).ShouldBe((0, $"hello ada{(char)i}"));
            backend.NextEvent.Release();
        }
        (await ReadFrameAsync(stream)).ShouldBe((0x80, "grpc-status: 0\r\n"));
    }

    [Fact]
    public async Task Users_at_the_same_time_reach_every_destination_as_themselves()
    {
        await using var realm = GatewayRealm.Start();
        await using var first = await KerberosBackend.StartAsync(realm, GatewayRealm.Service);
        await using var second = await KerberosBackend.StartAsync(realm, GatewayRealm.Service);
        await using var gateway = await PlainGateway.StartAsync(realm, [first, second]);
        await Parallel.ForEachAsync(Enumerable.Range(0, 60), TestContext.Current.CancellationToken, async (i, _) =>
        {
            var user = i % 2 == 0 ? "ada" : "bob";
            using var response = await gateway.GetAsync(user, "/", request => request.Headers.Authorization = new("Bearer", "gateway"));
            (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe(user);
        });
        foreach (var backend in (KerberosBackend[])[first, second])
        {
            backend.Received.ShouldNotBeEmpty();
            backend.Received.GroupBy(received => received.Connection, StringComparer.Ordinal)
                .ShouldAllBe(requests => requests.Select(received => received.User).Distinct().Count() == 1);
        }
        (first.Received.Count + second.Received.Count).ShouldBe(60);
        realm.Transcript.Count(line => line.StartsWith("PROXY", StringComparison.Ordinal))
            .ShouldBe(2, "both destinations have one service");
        gateway.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_original_Host_reaches_the_backend_where_it_is_listed()
    {
        await using var realm = GatewayRealm.Start();
        await using var backend = await KerberosBackend.StartAsync(realm, GatewayRealm.Service);
        static RouteConfig UseOriginalHost(RouteConfig route) => route with
        {
            Transforms = [new Dictionary<string, string>(StringComparer.Ordinal) { ["RequestHeaderOriginalHost"] = "true" }],
        };
        static void SetHost(HttpRequestMessage request) => request.Headers.Host = "portal.contoso.test";
        await using (var gateway = await PlainGateway.StartAsync(
            realm, [backend], changeRoute: UseOriginalHost, changeApplication: erp => erp.AllowedHosts.Add("portal.contoso.test")))
        {
            using var response = await gateway.GetAsync("ada", "/", SetHost);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            backend.Received.Single().Headers["Host"].ShouldBe("portal.contoso.test");
        }
        await using (var gateway = await PlainGateway.StartAsync(realm, [backend], changeRoute: UseOriginalHost))
        {
            using var response = await gateway.GetAsync("ada", "/", SetHost);
            response.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
            gateway.Errors.Single().ShouldBeOfType<KcdException>().EventId.ShouldBe(4001);
            backend.Received.Count.ShouldBe(1);
        }
    }

    [Fact]
    public async Task Health_probes_are_sent_without_a_user_and_on_connections_of_their_own()
    {
        await using var realm = GatewayRealm.Start();
        await using var first = await KerberosBackend.StartAsync(realm, GatewayRealm.Service);
        await using var second = await KerberosBackend.StartAsync(realm, GatewayRealm.Service);
        await using var gateway = await PlainGateway.StartAsync(realm, [first, second], cluster => cluster with
        {
            HealthCheck = new HealthCheckConfig
            {
                AvailableDestinationsPolicy = "HealthyAndUnknown",
                Active = new ActiveHealthCheckConfig
                {
                    Enabled = true, Interval = TimeSpan.FromMilliseconds(100), Timeout = TimeSpan.FromSeconds(10), Path = "/health",
                    Policy = "ConsecutiveFailures",
                },
            },
        });
        var start = TimeProvider.System.GetTimestamp();
        while (new[] { first, second }.Any(backend => backend.Received.Count(received => received.Path == "/health") < 3
            || !backend.Received.Any(received => received.User == "ada")))
        {
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(20));
            using var response = await gateway.GetAsync("ada", "/");
            response.StatusCode.ShouldBe(HttpStatusCode.OK, "a destination whose probes failed would not be used");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        foreach (var backend in (KerberosBackend[])[first, second])
        {
            var probes = backend.Received.Where(received => received.Path == "/health").ToList();
            probes.ShouldAllBe(probe => !probe.Headers.ContainsKey("Authorization"));
            backend.Received.Where(received => received.Path == "/").Select(received => received.Connection)
                .ShouldNotContain(connection => probes.Any(probe => probe.Connection == connection));
        }
    }

    [Theory]
    [InlineData("2")]
    [InlineData("3")]
    public async Task A_cluster_that_demands_another_version_gets_an_error_that_names_it(string version)
    {
        await using var realm = GatewayRealm.Start();
        await using var backend = await KerberosBackend.StartAsync(realm, GatewayRealm.Service);
        await using var gateway = await PlainGateway.StartAsync(realm, [backend], cluster => cluster with
        {
            HttpRequest = new ForwarderRequestConfig
            {
                Version = ParseVersion(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            },
        });
        using var response = await gateway.GetAsync("ada", "/");
        response.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        var error = gateway.Errors.Single().ShouldBeOfType<KcdException>();
        error.EventId.ShouldBe(4030);
        error.Remedy.ShouldContain("HttpRequest:VersionPolicy");
        (backend.Received.Count, realm.Transcript.Count).ShouldBe((0, 0));
    }

    [Fact]
    public async Task A_backend_for_HTTP_2_only_gets_an_error_that_names_the_version()
    {
        await using var realm = GatewayRealm.Start();
        await using var backend = await KerberosBackend.StartAsync(realm, GatewayRealm.Service, HttpProtocols.Http2);
        await using var gateway = await PlainGateway.StartAsync(realm, [backend]);
        using var response = await gateway.GetAsync("ada", "/");
        response.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        gateway.Errors.Single().Message.ShouldContain("HTTP/2 only");
        backend.Received.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/public/..%2fadmin")]
    [InlineData("/public/..%5cadmin")]
    [InlineData("/public/%252e%252e/admin")]
    [InlineData("/public/..;/admin")]
    [InlineData("/public/%u002e%u002e/admin")]
    public async Task A_path_that_a_backend_could_read_in_another_way_is_not_forwarded(string path)
    {
        await using var realm = GatewayRealm.Start();
        await using var backend = await KerberosBackend.StartAsync(realm, GatewayRealm.Service);
        await using var gateway = await PlainGateway.StartAsync(realm, [backend]);
        using var invoker = gateway.CreateInvoker();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(
            gateway.Url.AbsoluteUri.TrimEnd('/') + path + "?as=ada",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken);
        ((int)response.StatusCode).ShouldBeGreaterThanOrEqualTo(400);
        backend.Received.ShouldBeEmpty();
    }

    private static Version ParseVersion(string version) => version.Contains('.', StringComparison.Ordinal) ? Version.Parse(version)
        : new Version(int.Parse(version, null), 0);

    private static HttpRequestMessage CreateRequest(HttpMethod method, Uri url, string version) => new(method, url)
    {
        Version = Version.Parse(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private static async Task<string> ReceiveAsync(WebSocket socket)
    {
        var buffer = new byte[1024];
        var received = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    private static async Task<(int Flag, string Message)> ReadFrameAsync(Stream stream)
    {
        var head = new byte[5];
        await stream.ReadExactlyAsync(head, TestContext.Current.CancellationToken);
        var message = new byte[System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        await stream.ReadExactlyAsync(message, TestContext.Current.CancellationToken);
        return (head[0], Encoding.UTF8.GetString(message));
    }
}
