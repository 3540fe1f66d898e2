using KcdDelegation.Diagnosis;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests the content of the requests that are sent, and the requests that are refused.</summary>
public sealed class RequestTests
{
    [Theory]
    [InlineData("https://localhost:{0}/app/")]
    [InlineData("http://127.0.0.1:{0}/app/")]
    [InlineData("http://localhost:1/app/")]
    [InlineData("http://evil.example/app/")]
    [InlineData("http://localhost.evil.example:{0}/app/")]
    [InlineData("http://localhost:{0}/")]
    [InlineData("http://localhost:{0}/other")]
    [InlineData("http://localhost:{0}/application")]
    [InlineData("http://localhost:{0}/APP/")]
    [InlineData("http://localhost:{0}/app/../other")]
    [InlineData("http://localhost:{0}/app/%2e%2e/other")]
    [InlineData("http://localhost:{0}/app/..%2fother")]
    [InlineData("http://localhost:{0}/app/..%5cother")]
    [InlineData("http://localhost:{0}/app/..;/other")]
    [InlineData("http://localhost:{0}/app/%252e%252e/other")]
    [InlineData("http://localhost:{0}/app/..%252fother")]
    public async Task A_request_outside_of_the_application_is_refused_before_anything_is_sent(string url)
    {
        await using var backend = await FakeBackend.StartAsync();
        var delegation = new FakeDelegation(new Uri(backend.Url, "/app/"));
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada", string.Format(null, url, backend.Url.Port));

        var error = await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));
        (error.Stage, error.EventId).ShouldBe((KcdStage.Target, KcdEventId.TargetRefused));
        backend.Seen.ShouldBeEmpty();
        delegation.TicketsAsked.ShouldBe(0);
    }

    [Theory]
    [InlineData("/app")]
    [InlineData("/app/")]
    [InlineData("/app/a..b/%2e.c?x=../../y")]
    [InlineData("/app/x/../y")]
    public async Task A_request_inside_of_the_application_is_sent(string path)
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(new Uri(backend.Url, "/app/")).CreateClient();
        await client.GetStringAsAsync("ada", path);
        backend.Seen.Single().Path.ShouldStartWith("/app");
    }

    [Fact]
    public async Task A_Host_header_of_another_host_is_refused()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada");
        request.Headers.Host = "evil.example";
        (await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken))).EventId.ShouldBe(
            KcdEventId.TargetRefused);
        backend.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("evil.example/x")]
    [InlineData("evil.example x")]
    [InlineData("")]
    [InlineData("localhost:{0}", "localhost:{0}")]
    [InlineData("localhost:{0}", "evil.example")]
    [InlineData("localhost:{0}/x")]
    public async Task A_malformed_or_duplicate_Host_header_is_refused(params string[] values)
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada");
        foreach (var value in values)
            request.Headers.TryAddWithoutValidation("Host", string.Format(null, value, backend.Url.Port)).ShouldBeTrue();
        (await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken))).EventId.ShouldBe(
            KcdEventId.TargetRefused);
        backend.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_application_s_own_Host_header_is_sent()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada");
        request.Headers.Host = backend.Url.Authority;
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        backend.Seen.Single().Headers["Host"].ShouldBe(backend.Url.Authority);
    }

    [Theory]
    [InlineData("TRACE")]
    [InlineData("CONNECT")]
    [InlineData("trace")]
    public async Task Methods_that_would_disclose_the_ticket_are_refused(string method)
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada", method: new HttpMethod(method));
        (await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken))).EventId.ShouldBe(
            KcdEventId.RequestRefused);
        backend.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task Credentials_and_connection_headers_of_the_caller_are_not_sent()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada", content: new StringContent("body"));
        foreach (var (name, value) in (KeyValuePair<string, string>[])[
            new("Authorization", "Bearer the-gateway-s-token"),
            new("Proxy-Authorization", "Basic c2VjcmV0"),
            new("Connection", "keep-alive, Authorization, X-Own, Upgrade"),
            new("Upgrade", "h2c"),
            new("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),
            new("Keep-Alive", "timeout=5"),
            new("Proxy-Connection", "keep-alive"),
            new("TE", "trailers"),
            new("X-Own", "removed"),
            new("X-Other", "kept")])
            request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue(name);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        var seen = backend.Seen.Single();
        seen.Ticket.User.ShouldBe("ada");
        seen.Headers.Keys.Order(StringComparer.Ordinal).ShouldBe(["Authorization", "Content-Length", "Content-Type", "Host", "X-Other"]);
        seen.Body.ShouldBe("body");
    }

    [Theory]
    [InlineData("xchunked")]
    [InlineData("gzip, chunked")]
    [InlineData("chunked, identity")]
    public async Task An_unknown_Transfer_Encoding_never_reaches_the_backend(string encoding)
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada", content: new StringContent("body"));
        request.Headers.TryAddWithoutValidation("Transfer-Encoding", encoding).ShouldBeTrue();
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        var seen = backend.Seen.Single();
        seen.Body.ShouldBe("body");
        (seen.Headers.GetValueOrDefault("Transfer-Encoding") ?? "chunked").ShouldBe("chunked");
    }

    [Fact]
    public async Task A_malformed_Content_Length_never_reaches_the_backend()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var content = new StreamContent(new MemoryStream("body"u8.ToArray()));
        content.Headers.TryAddWithoutValidation("Content-Length", "4, 40").ShouldBeTrue();
        using var response = await client.SendAsync(FakeDelegation.As("ada", content: content), TestContext.Current.CancellationToken);
        backend.Seen.Single().Body.ShouldBe("body");
        backend.Seen.Single().Headers.GetValueOrDefault("Content-Length", "4").ShouldBe("4");
    }

    [Theory]
    [InlineData("5", "6")]
    [InlineData("4", "4")]
    [InlineData("6")]
    public async Task The_Content_Length_is_the_body_s_actual_length(params string[] values)
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var content = new ByteArrayContent("body"u8.ToArray());
        foreach (var value in values)
            content.Headers.TryAddWithoutValidation("Content-Length", value).ShouldBeTrue();
        using var response = await client.SendAsync(FakeDelegation.As("ada", content: content), TestContext.Current.CancellationToken);
        var seen = backend.Seen.Single();
        (seen.Body, seen.Headers["Content-Length"]).ShouldBe(("body", "4"));
    }

    [Theory]
    [InlineData("4", "4", null)]
    [InlineData("4, 4", null, "chunked")]
    public async Task A_body_of_unknown_length_keeps_a_single_length_that_was_set(string written, string? length, string? encoding)
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        var pipe = new System.IO.Pipelines.Pipe();
        await pipe.Writer.WriteAsync("body"u8.ToArray(), TestContext.Current.CancellationToken);
        await pipe.Writer.CompleteAsync();
        using var content = new StreamContent(pipe.Reader.AsStream());
        foreach (var value in written.Split(", "))
            content.Headers.TryAddWithoutValidation("Content-Length", value).ShouldBeTrue();
        using var response = await client.SendAsync(FakeDelegation.As("ada", content: content), TestContext.Current.CancellationToken);
        var seen = backend.Seen.Single();
        (seen.Body, seen.Headers.GetValueOrDefault("Content-Length"), seen.Headers.GetValueOrDefault("Transfer-Encoding"))
            .ShouldBe(("body", length, encoding));
    }

    [Theory]
    [InlineData("a\r\nX-Injected: 1")]
    [InlineData("a\nX-Injected: 1")]
    [InlineData("a\0b")]
    public async Task Header_values_with_line_breaks_are_refused(string value)
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var request = FakeDelegation.As("ada");
        // .NET itself may drop such a value. It is not sent in that case either.
        if (request.Headers.TryAddWithoutValidation("X-Own", value))
            await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));
        backend.Seen.ShouldBeEmpty();
    }
}
