using System.Net;
using System.Net.WebSockets;
using System.Text;
using KcdDelegation.Diagnosis;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests the HTTP version of requests, and what is reported if the version is the problem.</summary>
public sealed class HttpVersionTests
{
    [Theory]
    [InlineData("2.0", HttpVersionPolicy.RequestVersionExact)]
    [InlineData("2.0", HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData("3.0", HttpVersionPolicy.RequestVersionExact)]
    [InlineData("3.0", HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData("1.0", HttpVersionPolicy.RequestVersionExact)]
    [InlineData("1.0", HttpVersionPolicy.RequestVersionOrLower)]
    public async Task A_request_that_demands_another_version_is_refused_before_anything_is_sent(string version, HttpVersionPolicy policy)
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada");
        (request.Version, request.VersionPolicy) = (Version.Parse(version), policy);

        var error = await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));
        (error.Kind, error.EventId).ShouldBe((KcdErrorKind.BadRequest, KcdEventId.HttpVersionRefused));
        error.Cause.ShouldContain($"HTTP/{version} ({policy})");
        error.Remedy.ShouldContain("RequestVersionOrLower");
        (backend.Connections, delegation.TicketsAsked).ShouldBe((0, 0));
    }

    [Theory]
    [InlineData("1.1", HttpVersionPolicy.RequestVersionExact)]
    [InlineData("1.1", HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData("1.1", HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData("1.0", HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData("2.0", HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData("3.0", HttpVersionPolicy.RequestVersionOrLower)]
    public async Task A_request_that_allows_HTTP_1_1_is_sent_with_it(string version, HttpVersionPolicy policy)
    {
        await using var backend = await FakeBackend.StartTlsAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada");
        (request.Version, request.VersionPolicy) = (Version.Parse(version), policy);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        backend.Seen.Single().Protocol.ShouldBe("HTTP/1.1");
    }

    [Theory]
    [InlineData("websocket")]
    [InlineData("connect-udp")]
    public async Task An_extended_CONNECT_gets_the_error_that_lets_its_sender_fall_back(string protocol)
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada", method: HttpMethod.Connect);
        (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        request.Headers.Protocol = protocol;

        var error = await Should.ThrowAsync<HttpRequestException>(
            () => client.SendAsync(request, TestContext.Current.CancellationToken));
        error.HttpRequestError.ShouldBe(HttpRequestError.ExtendedConnectNotSupported);
        error.Data["SETTINGS_ENABLE_CONNECT_PROTOCOL"].ShouldBe(false);
        (backend.Connections, delegation.TicketsAsked).ShouldBe((0, 0));
    }

    [Fact]
    public async Task An_extended_CONNECT_to_another_address_is_a_refusal()
    {
        await using var backend = new RecordingBackend();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada", "https://evil.example/", HttpMethod.Connect);
        (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        request.Headers.Protocol = "websocket";
        (await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken))).EventId.ShouldBe(
            KcdEventId.TargetRefused);
    }

    [Fact]
    public async Task A_client_s_WebSocket_over_HTTP_2_falls_back_to_HTTP_1_1()
    {
        await using var backend = await FakeBackend.StartTlsAsync(async context =>
        {
            using var server = await context.WebSockets.AcceptWebSocketAsync();
            await server.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            await server.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        });
        using var handler = new KcdHandler(
            new FakeDelegation(backend.Url), "app", FakeDelegation.TrustTheBackend, new FixedCaller("ada"));
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var socket = new ClientWebSocket();
        (socket.Options.HttpVersion, socket.Options.HttpVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrLower);
        await socket.ConnectAsync(new UriBuilder(backend.Url) { Scheme = "wss" }.Uri, invoker, TestContext.Current.CancellationToken);

        var buffer = new byte[16];
        var received = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        Encoding.ASCII.GetString(buffer, 0, received.Count).ShouldBe("hello");
        var seen = backend.Seen.Single();
        (seen.Protocol, seen.Method, seen.Ticket.User).ShouldBe(("HTTP/1.1", "GET", "ada"));
    }

    [Fact]
    public async Task A_client_s_WebSocket_that_demands_HTTP_2_gets_an_error_about_the_protocol()
    {
        await using var backend = await FakeBackend.StartTlsAsync();
        using var handler = new KcdHandler(
            new FakeDelegation(backend.Url), "app", FakeDelegation.TrustTheBackend, new FixedCaller("ada"));
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var socket = new ClientWebSocket();
        (socket.Options.HttpVersion, socket.Options.HttpVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        var error = await Should.ThrowAsync<WebSocketException>(() => socket.ConnectAsync(
            new UriBuilder(backend.Url) { Scheme = "wss" }.Uri, invoker, TestContext.Current.CancellationToken));
        error.InnerException.ShouldBeOfType<HttpRequestException>().HttpRequestError.ShouldBe(HttpRequestError.ExtendedConnectNotSupported);
        error.ToString().ShouldContain("HTTP/1.1 only");
        backend.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET", true)]
    [InlineData("POST", true)]
    [InlineData("GET", false)]
    [InlineData("POST", false)]
    public async Task A_backend_that_speaks_HTTP_2_only_is_named_as_such(string method, bool channelBinding)
    {
        await using var backend = await FakeBackend.StartTlsAsync(protocols: HttpProtocols.Http2);
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { ChannelBinding = channelBinding };
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As(
            "ada", method: new HttpMethod(method), content: method == "POST" ? new StringContent("x")
            : null);
        var error = await Should.ThrowAsync<HttpRequestException>(
            () => client.SendAsync(request, TestContext.Current.CancellationToken));
        error.Message.ShouldContain("HTTP/2 only");
        for (Exception? inner = error; inner is not null; inner = inner.InnerException)
            inner.Message.ShouldNotContain("token", Case.Insensitive);
    }

    [Theory]
    [InlineData("\0\0\u0012\u0004\0\0\0\0\0\0\u0003\0\0\0\u0080\0\u0004\0\u0001\0\0\0\u0005\0\u00ff\u00ff\u00ff\0\0\u0004")]
    [InlineData("\0\0\u0006\u0004\0\0\0\0\0\0\u0003\0\0\0\u000a\r\n\r\n")]
    public async Task Frames_of_HTTP_2_are_named_as_such(string frames)
    {
        await using var backend = new RecordingBackend(frames, closes: true);
        using var client = new FakeDelegation(backend.Url).CreateClient();
        client.Timeout = TimeSpan.FromSeconds(5);
        var error = await Should.ThrowAsync<Exception>(() => client.GetStringAsAsync("ada"));
        error.ToString().ShouldContain("HTTP/2 only");
    }

    [Fact]
    public async Task A_backend_that_has_answered_before_is_not_named_as_one_that_speaks_HTTP_2_only()
    {
        await using var backend = new ClosingBackend(closing: 10);
        using var client = new FakeDelegation(backend.Url).CreateClient();
        await client.GetStringAsAsync("ada");
        var error = await Should.ThrowAsync<HttpRequestException>(
            () => client.SendAsync(FakeDelegation.As("ada", method: HttpMethod.Patch), TestContext.Current.CancellationToken));
        error.ToString().ShouldNotContain("HTTP/2");
    }

    [Theory]
    [InlineData("505 HTTP Version Not Supported", "")]
    [InlineData("426 Upgrade Required", "Upgrade: HTTP/2.0\r\n")]
    [InlineData("426 Upgrade Required", "Upgrade: h2c\r\n")]
    [InlineData("426 Upgrade Required", "Upgrade: TLS/1.2, h2\r\n")]
    public async Task A_backend_s_refusal_of_the_version_is_logged(string status, string field)
    {
        await using var backend = new RecordingBackend($"HTTP/1.1 {status}\r\n{field}Content-Length: 0\r\n\r\n");
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);
        var record = delegation.Log.Records.Single(record => record.Id == KcdEventId.HttpVersionNotAccepted);
        (record.Level, record.Text.Contains(status[..3], StringComparison.Ordinal)).ShouldBe((LogLevel.Warning, true));
    }

    [Theory]
    [InlineData("426 Upgrade Required", "Upgrade: TLS/1.2, HTTP/1.1\r\n")]
    [InlineData("426 Upgrade Required", "Upgrade: websocket\r\n")]
    [InlineData("500 Internal Server Error", "")]
    public async Task Other_refusals_are_not_taken_for_one_of_the_version(string status, string field)
    {
        await using var backend = new RecordingBackend($"HTTP/1.1 {status}\r\n{field}Content-Length: 0\r\n\r\n");
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);
        delegation.Log.Records.ShouldNotContain(record => record.Id == KcdEventId.HttpVersionNotAccepted);
    }

    private sealed class FixedCaller(string name) : ICallerAccessor
    {
        public System.Security.Claims.ClaimsPrincipal? Caller => FakeDelegation.Caller(name);
    }
}
