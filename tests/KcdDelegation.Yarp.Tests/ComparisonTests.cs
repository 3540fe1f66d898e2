using System.Net;
using System.Net.WebSockets;
using System.Text;
using Yarp.ReverseProxy.Forwarder;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Sends the same request through plain YARP and through a delegated cluster, and compares what the backend and the client
/// see.</summary>
/// <remarks>The backend speaks HTTP/1.1, as delegated requests do. <c>Authorization</c> is not compared.</remarks>
public sealed class ComparisonTests
{
    private static readonly string[] s_fronts = ["1.1", "2.0"];

    public static TheoryData<string, string> Requests
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var front in s_fronts)
            {
                foreach (var kind in (string[])["get", "head", "fields", "post", "chunked", "large", "continue", "trailers", "grpc-web"])
                    data.Add(front, kind);
            }
            return data;
        }
    }

    public static TheoryData<string> Fronts => [.. s_fronts];

    [Theory]
    [MemberData(nameof(Requests))]
    public Task A_request_and_its_response_are_the_same(string front, string kind) => CompareAsync(async (gateway, _) =>
    {
        using var response = await gateway.SendAsync("ada", kind == "trailers" ? "/trailers" : "/path/%C3%A4?a=b%20c&d", request =>
        {
            SetVersion(request, front);
            Change(request, kind);
        }, kind switch { "head" => HttpMethod.Head, "get" or "fields" or "trailers" => HttpMethod.Get, _ => HttpMethod.Post });
        var seen = await DescribeAsync(response);
        // Kestrel passes trailers on with HTTP/2.
        seen.Contains("X-Checksum: 42", StringComparison.OrdinalIgnoreCase).ShouldBe(kind == "trailers" && front == "2.0");
        return seen;
    });

    [Theory]
    [MemberData(nameof(Fronts))]
    public Task An_early_413_reaches_the_client(string front) => CompareAsync(async (gateway, _) =>
    {
        using var response = await gateway.SendAsync("ada", "/early", request =>
        {
            SetVersion(request, front);
            request.Headers.ExpectContinue = true;
            request.Content = new ByteArrayContent(new byte[4 * 1024 * 1024]);
        }, HttpMethod.Post);
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}";
    });

    [Theory]
    [MemberData(nameof(Fronts))]
    public Task Events_arrive_one_by_one(string front) => CompareAsync(async (gateway, backend) =>
    {
        using var response = await gateway.SendAsync("ada", "/events", request => SetVersion(request, front));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        var text = new StringBuilder($"{response.Content.Headers.ContentType}");
        for (var i = 0; i < 3; i++)
        {
            // The backend sends the next event only after this one has arrived.
            text.Append(await reader.ReadLineAsync(TestContext.Current.CancellationToken));
            text.Append(await reader.ReadLineAsync(TestContext.Current.CancellationToken));
            if (i < 2)
                backend.NextEvent.Release();
        }
        return text.Append(await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).ToString();
    });

    [Theory]
    [MemberData(nameof(Fronts))]
    public Task A_WebSocket_is_open_until_it_is_closed(string front) => CompareAsync(async (gateway, _) =>
    {
        using var socket = new ClientWebSocket();
        (socket.Options.HttpVersion, socket.Options.HttpVersionPolicy) = (Version.Parse(front), HttpVersionPolicy.RequestVersionExact);
        socket.Options.SetRequestHeader("X-User", "ada");
        socket.Options.AddSubProtocol("chat");
        await socket.ConnectAsync(
            new UriBuilder(gateway.Url) { Scheme = "wss", Path = "/socket" }.Uri, gateway.Invoker, TestContext.Current.CancellationToken);
        var text = new StringBuilder();
        var buffer = new byte[1024];
        foreach (var message in (string[])["one", "three"])
        {
            await socket.SendAsync(
                Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
            var received = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
            text.Append(Encoding.UTF8.GetString(buffer, 0, received.Count)).Append(' ');
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        return $"{text}{socket.CloseStatus} {socket.CloseStatusDescription}";
    });

    [Theory]
    [MemberData(nameof(Fronts))]
    public Task The_backend_sees_that_a_client_has_gone(string front) => CompareAsync(async (gateway, backend) =>
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var pending = gateway.SendAsync("ada", "/wait", request => SetVersion(request, front), cancellation: gone.Token);
        await backend.Arrived.WaitAsync(TestContext.Current.CancellationToken);
        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(pending);
        return "";
    });

    [Theory]
    [MemberData(nameof(Fronts))]
    public Task The_ActivityTimeout_ends_a_request(string front) => CompareAsync(async (gateway, _) =>
    {
        using var response = await gateway.SendAsync("ada", "/wait", request => SetVersion(request, front));
        return await DescribeAsync(response);
    }, TimeSpan.FromSeconds(2));

    /// <summary>Runs an exchange through both gateways.</summary>
    /// <param name="exchange">Returns what the client saw.</param>
    /// <param name="activityTimeout">The time-out of the cluster; null for YARP's default.</param>
    private static async Task CompareAsync(
        Func<DelegatedGateway, RecordingBackend, Task<string>> exchange, TimeSpan? activityTimeout = null)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await RecordingBackend.StartAsync();
        var seen = new List<(string Client, string Backend)>();
        foreach (var application in (string?[])[null, "erp"])
        {
            var cluster = DelegatedGateway.CreateCluster(application, backend.Url);
            await using var gateway = await DelegatedGateway.StartAsync(new GatewaySetup
            {
                Realm = application is null ? null : realm,
                Cluster = activityTimeout is null ? cluster
                    : cluster with { HttpRequest = new ForwarderRequestConfig { ActivityTimeout = activityTimeout } },
            });
            var client = await exchange(gateway, backend);
            var received = await backend.TakeAsync();
            seen.Add((Normalize(client, gateway), Normalize(received, gateway)));
        }
        seen[0].Backend.ShouldNotBeEmpty();
        seen[1].ShouldBe(seen[0]);
        realm.Transcript.ShouldContain($"PROXY ada>{DelegatedGateway.Erp} ok");
    }

    private static string Normalize(string text, DelegatedGateway gateway) =>
        text.Replace(gateway.Url.Authority, "gateway", StringComparison.Ordinal);

    private static void SetVersion(HttpRequestMessage request, string version) =>
        (request.Version, request.VersionPolicy) = (Version.Parse(version), HttpVersionPolicy.RequestVersionExact);

    private static void Change(HttpRequestMessage request, string kind)
    {
        switch (kind)
        {
            case "fields":
                request.Headers.TryAddWithoutValidation("X-Two", ["one", "two"]);
                request.Headers.Add("Cookie", "b=2; a=1");
                request.Headers.Add("Accept-Encoding", "gzip, br");
                request.Headers.TryAddWithoutValidation("X-Forwarded-For", "192.0.2.1");
                request.Headers.TryAddWithoutValidation("Proxy-Authorization", "Basic eDp5");
                break;
            case "post":
                request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
                break;
            case "chunked":
                request.Content = new StreamContent(new MemoryStream(new byte[300_000]));
                request.Headers.TransferEncodingChunked = request.Version == HttpVersion.Version11 ? true : null;
                break;
            case "large":
                request.Content = new ByteArrayContent(new byte[8 * 1024 * 1024]);
                break;
            case "continue":
                request.Headers.ExpectContinue = true;
                request.Content = new ByteArrayContent(new byte[100_000]);
                break;
            case "grpc-web":
                request.Content = new ByteArrayContent(KerberosBackend.CreateFrame(0, "hello"u8));
                request.Content.Headers.ContentType = new("application/grpc-web+proto");
                request.Headers.Add("X-Grpc-Web", "1");
                break;
            default:
                break;
        }
    }

    private static async Task<string> DescribeAsync(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var fields = response.Headers.Concat(response.Content.Headers)
            .Where(field => field.Key != "Date")
            .OrderBy(field => field.Key, StringComparer.OrdinalIgnoreCase)
            .Select(field => $"{field.Key}: {string.Join('|', field.Value)}");
        var trailers = response.TrailingHeaders.Select(field => $"{field.Key}: {string.Join('|', field.Value)}");
        return $"{(int)response.StatusCode} {response.ReasonPhrase}\n{string.Join('\n', fields)}\n{body}\n{string.Join('\n', trailers)}";
    }
}
