using KcdDelegation.Diagnosis;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests the fields that belong to one connection, in requests and responses, with the bytes that arrive.</summary>
public sealed class ConnectionFieldTests
{
    [Theory]
    [InlineData("X-One")]
    [InlineData("x-one")]
    [InlineData("close, X-One")]
    [InlineData(" ,\t X-One\t ,,")]
    [InlineData("keep-alive", "X-One")]
    [InlineData("X-One, X-One, Content-Language")]
    [InlineData("bad name, X-One, \"quoted\"")]
    public async Task Fields_that_Connection_names_are_removed(params string[] options)
    {
        await using var backend = new RecordingBackend();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada", content: new StringContent("body"));
        request.Content!.Headers.ContentLanguage.Add("en");
        foreach (var option in options)
            request.Headers.TryAddWithoutValidation("Connection", option).ShouldBeTrue();
        request.Headers.Add("X-One", ["a", "b"]);
        request.Headers.Add("X-One-More", "c");
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        var names = Names(backend.Head);
        names.ShouldNotContain("X-One");
        names.ShouldContain("X-One-More");
        names.Contains("Content-Language", StringComparer.Ordinal)
            .ShouldBe(!options[0].EndsWith("Content-Language", StringComparison.Ordinal));
        Fields(backend.Head, "Connection").ShouldBe(options[0].StartsWith("close", StringComparison.Ordinal) ? ["close"] : []);
    }

    [Theory]
    [InlineData("authorization")]
    [InlineData("Authorization, close")]
    [InlineData("content-length, host, transfer-encoding")]
    [InlineData("Host, Content-Length, Transfer-Encoding, Authorization")]
    [InlineData("connection")]
    public async Task Connection_cannot_remove_the_ticket_the_host_or_the_framing(string options)
    {
        await using var backend = new RecordingBackend();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada", content: new StringContent("body"));
        request.Headers.TryAddWithoutValidation("Connection", options).ShouldBeTrue();
        request.Headers.Host = backend.Url.Authority;
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Fields(backend.Head, "Host").ShouldBe([backend.Url.Authority]);
        Fields(backend.Head, "Content-Length").ShouldBe(["4"]);
        Fields(backend.Head, "Authorization").Single().ShouldStartWith("Negotiate ");
        Fields(backend.Head, "Connection").ShouldBe(options.EndsWith("close", StringComparison.Ordinal) ? ["close"] : []);
    }

    [Fact]
    public async Task Connection_cannot_remove_the_framing_of_a_chunked_body()
    {
        await using var backend = new RecordingBackend();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada", content: new StringContent("body"));
        request.Headers.TryAddWithoutValidation("Connection", "transfer-encoding, trailer").ShouldBeTrue();
        request.Headers.TransferEncodingChunked = true;
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        // What follows the head is the body.
        var head = backend.Seen.First().Head;
        Fields(head, "Transfer-Encoding").ShouldBe(["chunked"]);
        Fields(head, "Content-Length").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_WebSocket_s_handshake_keeps_its_connection_fields_only()
    {
        await using var backend = new RecordingBackend();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada");
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade, X-One").ShouldBeTrue();
        request.Headers.TryAddWithoutValidation("Upgrade", "WebSocket").ShouldBeTrue();
        request.Headers.Add("X-One", "a");
        request.Headers.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        (Fields(backend.Head, "Connection").Single(), Fields(backend.Head, "Upgrade").Single()).ShouldBe(("Upgrade", "websocket"));
        Names(backend.Head).ShouldContain("Sec-WebSocket-Key");
        Names(backend.Head).ShouldNotContain("X-One");
    }

    [Theory]
    [InlineData("TRACK")]
    [InlineData("track")]
    [InlineData("Track")]
    [InlineData("Trace")]
    [InlineData("Connect")]
    [InlineData("connect")]
    public async Task Methods_that_return_the_ticket_or_open_a_tunnel_are_refused(string method)
    {
        await using var backend = new RecordingBackend();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada", method: new HttpMethod(method));
        var error = await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));
        (error.Kind, error.EventId).ShouldBe((KcdErrorKind.BadRequest, KcdEventId.RequestRefused));
        backend.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData("407 Proxy Authentication Required")]
    [InlineData("200 OK")]
    [InlineData("401 Unauthorized")]
    public async Task Fields_for_a_proxy_s_authentication_are_removed_from_responses(string status)
    {
        await using var backend = new RecordingBackend(
            $"HTTP/1.1 {status}\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: Basic realm=\"x\"\r\n"
            + "Proxy-Authentication-Info: x=1\r\nX-Own: kept\r\nContent-Length: 0\r\n\r\n");
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);
        ((int)response.StatusCode).ShouldBe(int.Parse(status[..3], null));
        response.Headers.Select(header => header.Key).ShouldBe(["X-Own"]);
    }

    private static List<string> Names(string head) => [.. head.Split("\r\n").Skip(1).Select(line => line[..line.IndexOf(':')])];

    private static List<string> Fields(string head, string name) =>
        [.. head.Split("\r\n").Skip(1).Where(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))
            .Select(line => line[(name.Length + 2)..])];
}
