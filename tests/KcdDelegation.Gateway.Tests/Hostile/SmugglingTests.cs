namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>Requests that two readers could end at different bytes (RFC 9112 §11.2), with what the client and the application
/// see.</summary>
public sealed class SmugglingTests
{
    private const string Smuggled = "GET /smuggled HTTP/1.1\r\n{host}{auth}\r\n";

    /// <summary>Framings that a server must not guess about. No part of them reaches the application.</summary>
    [Theory]
    [InlineData("Content-Length: 6\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 5, 6\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length : 6\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: -1\r\n\r\n")]
    [InlineData("Content-Length: 0x5\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 5 5\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 18446744073709551621\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length:\u000b5\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 5\u00a0\r\n\r\n0\r\n\r\n")]
    [InlineData("\u0020Content-Length: 5\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: identity\r\n\r\n")]
    [InlineData("Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\u00a0\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunk\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding\r\n : chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\n\r\n0\r\n\r\n")]
    [InlineData("X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("X: y\u0000\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")]
    [InlineData("X y\r\n\r\n")]
    [InlineData(": y\r\n\r\n")]
    [InlineData("X\u0000: y\r\n\r\n")]
    public async Task An_ambiguous_framing_is_refused_and_closes_the_connection(string framing)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();

        var answers = await Wire.ExchangeAsync(gateway, $"POST /first HTTP/1.1\r\n{{host}}{{auth}}{framing}{Smuggled}");

        answers.ShouldHaveSingleItem().Status.ShouldBeOneOf(400, 501);
        backend.Received.ShouldBeEmpty();
        backend.Incomplete.ShouldBeEmpty();
    }

    /// <summary>Chunks with which the framing becomes ambiguous after the request has begun. The application gets no complete request and
    /// no second one.</summary>
    [Theory]
    [InlineData("5\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello\n0\r\n\r\n")]
    [InlineData("5\rhello\r\n0\r\n\r\n")]
    [InlineData("5 \r\nhello\r\n0\r\n\r\n")]
    [InlineData("+5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("-5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("0x5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5_\r\nhello\r\n0\r\n\r\n")]
    [InlineData("100000005\r\nhello\r\n0\r\n\r\n")]
    [InlineData("\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhelloX\r\n0\r\n\r\n")]
    [InlineData("5;a\nb\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a=\"\r\nhello\r\n0\n\r\n")]
    public async Task A_malformed_chunk_never_completes_a_request_of_the_application(string chunks)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();

        var answers = await Wire.ExchangeAsync(
            gateway, $"POST /first HTTP/1.1\r\n{{host}}{{auth}}Transfer-Encoding: chunked\r\n\r\n{chunks}{Smuggled}");

        answers.ShouldAllBe(answer => answer.Status >= 400);
        answers.Count.ShouldBeLessThanOrEqualTo(1);
        backend.Received.ShouldBeEmpty();
        backend.Incomplete.ShouldAllBe(text => !text.Contains("smuggled", StringComparison.Ordinal));
    }

    /// <summary>Framings that are valid. The application gets the same body, with one framing of the gateway's own.</summary>
    [Theory]
    [InlineData("POST", "Content-Length: 5\r\n\r\nhello", "hello")]
    [InlineData("POST", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("POST", "Transfer-Encoding: Chunked\r\n\r\n5;x=y;z\r\nhello\r\n0;x\r\n\r\n", "hello")]
    [InlineData("POST", "Transfer-Encoding: chunked\r\n\r\n00000005\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("POST", "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n4\r\nbcde\r\n0\r\nContent-Length: 9\r\nX: eve\r\n\r\n", "abcde")]
    [InlineData("GET", "Content-Length: 5\r\n\r\nhello", "hello")]
    [InlineData("GET", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("HEAD", "Content-Length: 5\r\n\r\nhello", "hello")]
    [InlineData("DELETE", "Content-Length: 5\r\n\r\nhello", "hello")]
    [InlineData(
        "POST", "Content-Length: 47\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: evil.test\r\nX: y\r\n",
        "GET /smuggled HTTP/1.1\r\nHost: evil.test\r\nX: y\r\n")]
    public async Task A_body_stays_a_body(string method, string framing, string body)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();

        await Wire.ExchangeAsync(gateway, $"{method} /first HTTP/1.1\r\n{{host}}{{auth}}{framing}");

        var request = backend.Received.ShouldHaveSingleItem();
        request.Line.ShouldBe($"{method} /first HTTP/1.1");
        request.ShouldBeUnambiguous();
        Unchunk(request).ShouldBe(body);
        request.Head.ShouldNotContain("eve");
        request.Body.ShouldNotContain("Remote-User");
        backend.Incomplete.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Content-Length: 6\r\nTransfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 6")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 0")]
    public async Task With_both_framings_the_chunks_count_and_the_connection_is_not_used_again(string framing)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();

        var answers = await Wire.ExchangeAsync(
            gateway, $"POST /first HTTP/1.1\r\n{{host}}{{auth}}{framing}\r\n\r\n0\r\n\r\n{Smuggled}");

        answers.Count.ShouldBe(1);
        backend.Received.Count.ShouldBeLessThanOrEqualTo(1);
        foreach (var request in backend.Received)
        {
            request.Line.ShouldBe("POST /first HTTP/1.1");
            request.ShouldBeUnambiguous();
        }
        backend.Incomplete.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("\r\n")]
    [InlineData("\r\n\r\n")]
    public async Task What_follows_a_request_needs_a_user_of_its_own(string between)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();

        var answers = await Wire.ExchangeAsync(
            gateway,
            $"POST /first HTTP/1.1\r\n{{host}}{{auth}}Content-Length: 5\r\n\r\nhello{between}GET /second HTTP/1.1\r\n{{host}}\r\n");

        answers.Select(answer => answer.Status).ShouldBe([200, 401]);
        backend.Received.Select(request => request.Line).ShouldBe(["POST /first HTTP/1.1"]);
    }

    [Theory]
    [InlineData("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n")]
    [InlineData("Upgrade: h2c\r\nConnection: Upgrade\r\n")]
    [InlineData("Upgrade: h2c, websocket\r\nConnection: Upgrade\r\n")]
    [InlineData("Upgrade: TLS/1.2\r\nConnection: Upgrade\r\n")]
    [InlineData("Upgrade: websocket\r\n")]
    public async Task No_upgrade_but_that_to_a_WebSocket_reaches_the_application(string headers)
    {
        await using var backend = RawBackend.Start(static request => request.Find("Upgrade").Count > 0
            ? "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" : RawBackend.Answer("plain"));
        await using var gateway = await backend.StartGatewayAsync();

        var answers = await Wire.ExchangeAsync(gateway, $"GET /first HTTP/1.1\r\n{{host}}{{auth}}{headers}\r\n");

        answers.Select(answer => (answer.Status, answer.Body)).ShouldBe([(200, "plain")]);
        var request = backend.Received.ShouldHaveSingleItem();
        request.Find("Upgrade").ShouldBeEmpty();
        request.Find("HTTP2-Settings").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_WebSocket_that_the_application_refuses_is_no_tunnel()
    {
        await using var backend = RawBackend.Start(static _ => "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n");
        await using var gateway = await backend.StartGatewayAsync();

        var answers = await Wire.ExchangeAsync(
            gateway,
            "GET /socket HTTP/1.1\r\n{host}{auth}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 1\r\n\r\n"
                + "GET /smuggled HTTP/1.1\r\n{host}\r\n");

        answers.Select(answer => answer.Status).First().ShouldBe(426);
        backend.Received.ShouldHaveSingleItem().Line.ShouldBe("GET /socket HTTP/1.1");
        backend.Incomplete.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_named_hop_by_hop_field_removes_neither_the_ticket_nor_the_framing()
    {
        await using var gateway = await TestGateway.StartAsync();

        var answers = await Wire.ExchangeAsync(
            gateway,
            "POST / HTTP/1.1\r\nHost: erp.contoso.test\r\n{auth}Connection: close, Authorization, Host, Content-Length, Cookie\r\n"
                + "Content-Length: 5\r\n\r\nhello");

        var answer = answers.ShouldHaveSingleItem();
        answer.Status.ShouldBe(200);
        answer.Body.ShouldContain("ada@CONTOSO.TEST");
        gateway.Backend.Requests.ShouldAllBe(request => request.Refusal == null && request.Path == "/");
    }

    private static string Unchunk(RawRequest request)
    {
        if (request.Find("Transfer-Encoding").Count == 0)
            return request.Body;
        var (text, rest) = ("", request.Body);
        while (rest.Length > 0)
        {
            var end = rest.IndexOf("\r\n", StringComparison.Ordinal);
            var size = Convert.ToInt32(rest[..end], 16);
            text += rest.Substring(end + 2, size);
            rest = rest[(end + 2 + size + 2)..];
        }
        return text;
    }
}
