using System.Text;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>Requests over HTTP/2 that become another request when they are forwarded over HTTP/1.1 (RFC 9113 §8.1.1, §8.2.1, §8.3.1), and
/// floods of frames.</summary>
public sealed class Http2Tests
{
    [Fact]
    public async Task A_request_reaches_its_application()
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);

        (await connection.RequestAsync(1, Request(gateway))).ShouldBe("200");

        var request = backend.Received.ShouldHaveSingleItem();
        request.Line.ShouldBe("GET /page?x=1 HTTP/1.1");
        request.Head.ShouldNotContain("uthorization");
    }

    /// <summary>The pseudo-header field before the colon is replaced by the values after it: none, one or several.</summary>
    [Theory]
    [InlineData(":method")]
    [InlineData(":scheme")]
    [InlineData(":path")]
    [InlineData(":method", "GET", "POST")]
    [InlineData(":scheme", "https", "https")]
    [InlineData(":path", "/page", "/other")]
    [InlineData(":authority", "wiki.contoso.test", "erp.contoso.test")]
    [InlineData(":authority", "wiki.contoso.test", "wiki.contoso.test")]
    [InlineData(":status", "200")]
    [InlineData(":protocol", "websocket")]
    [InlineData(":host", "wiki.contoso.test")]
    [InlineData(":scheme", "http")]
    [InlineData(":scheme", "javascript")]
    [InlineData(":method", "")]
    [InlineData(":method", "GET /smuggled HTTP/1.1\r\nX:")]
    [InlineData(":method", "GE T")]
    [InlineData(":method", "GET\u0000")]
    [InlineData(":path", "")]
    [InlineData(":path", "page")]
    [InlineData(":path", "?x=1")]
    [InlineData(":path", "https://erp.contoso.test/")]
    [InlineData(":path", "*")]
    [InlineData(":path", "/ HTTP/1.1\r\nHost: erp.contoso.test\r\n\r\nGET /smuggled")]
    [InlineData(":path", "/a\nb")]
    [InlineData(":path", "/a\rb")]
    [InlineData(":path", "/a\u0000b")]
    [InlineData(":authority", "wiki.contoso.test/x")]
    [InlineData(":authority", "erp.contoso.test@wiki.contoso.test")]
    [InlineData(":authority", "wiki.contoso.test\r\nX: y")]
    [InlineData(":authority", "wiki.contoso.test, erp.contoso.test")]
    [InlineData(":authority", "wiki.contoso.test?x")]
    [InlineData(":authority", "wiki.contoso.test:443:443")]
    [InlineData(":authority", "")]
    [InlineData(":authority", "evil.test")]
    public async Task An_odd_pseudo_header_field_reaches_no_application(string name, params string[] values)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);
        var fields = Request(gateway);
        var position = fields.FindIndex(field => field.Name == name);
        fields.RemoveAll(field => field.Name == name);
        fields.InsertRange(Math.Max(0, position), values.Select(value => (name, value)));

        var end = await connection.RequestAsync(1, fields);

        end.ShouldBeOneOf("reset 1", "goaway 1", "400", "404", "405");
        backend.Received.ShouldBeEmpty();
        backend.Incomplete.ShouldBeEmpty();
        gateway.Backend.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Upper-Case", "x")]
    [InlineData("a\u0000", "x")]
    [InlineData("", "x")]
    [InlineData("x", "a\r\nRemote-User: eve")]
    [InlineData("x", "a\nRemote-User: eve")]
    [InlineData("x", "a\rRemote-User: eve")]
    [InlineData("x", "a\r\n\r\nGET /smuggled HTTP/1.1\r\n")]
    [InlineData("x", "a\u0000b")]
    [InlineData("connection", "close")]
    [InlineData("connection", "authorization")]
    [InlineData("keep-alive", "timeout=5")]
    [InlineData("proxy-connection", "close")]
    [InlineData("transfer-encoding", "chunked")]
    [InlineData("upgrade", "websocket")]
    [InlineData("te", "gzip")]
    [InlineData("content-length", "5")]
    [InlineData("content-length", "-1")]
    [InlineData("content-length", "x")]
    [InlineData("host", "wiki.contoso.test\r\nX: y")]
    public async Task A_field_that_HTTP2_does_not_allow_never_reaches_the_application(string name, string value)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);

        var end = await connection.RequestAsync(1, [.. Request(gateway), (name, value)]);

        end.ShouldNotBe("200");
        end.ShouldNotBe("open");
        backend.Received.ShouldBeEmpty();
        backend.Incomplete.ShouldAllBe(text => !text.Contains("eve", StringComparison.Ordinal)
            && !text.Contains("smuggled", StringComparison.Ordinal) && !text.EndsWith("\r\n\r\n", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a:b")]
    [InlineData("a\r\nb")]
    public async Task A_name_that_no_header_field_can_have_is_dropped(string name)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);

        await connection.RequestAsync(1, [.. Request(gateway), (name, "smuggled")]);

        backend.Received.ShouldAllBe(request => !request.Head.Contains("smuggled", StringComparison.Ordinal));
        backend.Incomplete.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pseudo_header_field_after_a_regular_one_is_refused()
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);
        var fields = Request(gateway);
        var authority = fields.Single(field => field.Name == ":authority");
        fields.Remove(authority);
        fields.Add(authority);

        (await connection.RequestAsync(1, fields)).ShouldBeOneOf("reset 1", "goaway 1");

        backend.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_authority_selects_the_application_whatever_Host_says()
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);

        await connection.RequestAsync(1, [.. Request(gateway), ("host", "erp.contoso.test")]);

        gateway.Backend.Requests.ShouldBeEmpty();
        foreach (var request in backend.Received)
            request.Head.ShouldNotContain("erp.contoso.test");
    }

    [Fact]
    public async Task Without_an_authority_Host_selects_the_application()
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);
        var fields = Request(gateway).Where(field => field.Name != ":authority").ToList();

        (await connection.RequestAsync(1, [.. fields, ("host", "wiki.contoso.test")])).ShouldBe("200");
        // No application has an empty host.
        (await connection.RequestAsync(3, fields)).ShouldBe("404");

        backend.Received.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("foo")]
    [InlineData("connect-udp")]
    [InlineData("WebSocket ")]
    public async Task A_tunnel_is_a_WebSocket_or_none(string protocol)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);
        var fields = Request(gateway);
        fields[0] = (":method", "CONNECT");
        if (protocol.Length > 0)
            fields.Insert(1, (":protocol", protocol));

        var end = await connection.RequestAsync(1, fields);

        end.ShouldBeOneOf("reset 1", "goaway 1", "400", "405", "501");
        backend.Received.ShouldBeEmpty();
        backend.Incomplete.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("10", "hello")]
    [InlineData("2", "hello")]
    [InlineData("0", "GET /smuggled HTTP/1.1\r\nHost: wiki.contoso.test\r\n\r\n")]
    public async Task A_body_of_another_length_than_stated_never_completes_a_request_of_the_application(string length, string body)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);
        var fields = Request(gateway);
        fields[0] = (":method", "POST");

        await connection.SendAsync(
            Http2Connection.Headers, Http2Connection.EndHeaders, 1, Http2Connection.Encode([.. fields, ("content-length", length)]));
        await connection.SendAsync(Http2Connection.Data, Http2Connection.EndStream, 1, Encoding.ASCII.GetBytes(body));
        var end = await connection.ReadAsync(1);

        end.ShouldBeOneOf("reset 1", "goaway 1", "400");
        backend.Received.ShouldAllBe(request => request.Body.Length == 0);
        backend.Received.ShouldAllBe(request => !request.Line.Contains("smuggled", StringComparison.Ordinal));
        backend.Incomplete.ShouldAllBe(text => !text.Contains("smuggled", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_content_lengths_reach_no_application()
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);

        var end = await connection.RequestAsync(1, [.. Request(gateway), ("content-length", "0"), ("content-length", "5")]);

        end.ShouldBeOneOf("reset 1", "goaway 1", "400");
        backend.Received.ShouldBeEmpty();
    }

    /// <summary>An entry of the dynamic table that one byte each repeats (RFC 7541 §7.3): 5 KB become 20 MB.</summary>
    [Fact]
    public async Task A_bomb_of_compressed_fields_is_cut_off()
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await backend.StartGatewayAsync();
        await using var connection = await Http2Connection.OpenAsync(gateway);
        // 0x40: a literal that is added to the table, and then its first dynamic entry, 62.
        var literal = Http2Connection.Encode([("x", new string('a', 4000))]);
        literal[0] = 0x40;
        byte[] block = [.. Http2Connection.Encode(Request(gateway)), .. literal, .. Enumerable.Repeat((byte)(0x80 | 62), 5000)];

        await connection.SendAsync(Http2Connection.Headers, Http2Connection.EndHeaders | Http2Connection.EndStream, 1, block);

        (await connection.ReadAsync(1)).ShouldBeOneOf("431", "goaway 1", "goaway 11", "reset 1", "reset 11", "closed");
        backend.Received.ShouldBeEmpty();
        (await gateway.GetAsync("ada", "https://wiki.contoso.test/")).Body.ShouldBe("the wiki");
    }

    /// <summary>Header blocks that never end (CVE-2024-27316 and others of 2024).</summary>
    [Theory]
    [InlineData(16_000, 100)]
    [InlineData(0, 5_000)]
    [InlineData(8, 20_000)]
    public async Task A_flood_of_continuation_frames_closes_the_connection(int size, int count)
    {
        await using var backend = RawBackend.Start();
        await using var gateway = await TestGateway.StartAsync(settings =>
        {
            settings["Listener"]!["Limits"]!["RequestHeadersTimeout"] = "00:00:02";
            settings["Applications"]!["wiki"]!["InternalUrls"] = new System.Text.Json.Nodes.JsonArray(backend.Url);
        });
        await using var connection = await Http2Connection.OpenAsync(gateway);
        var fields = size == 0 ? [] : Http2Connection.Encode([("x", new string('a', size - 4))]);

        await connection.SendAsync(Http2Connection.Headers, 0, 1, Http2Connection.Encode(Request(gateway)));
        var isClosed = false;
        try
        {
            for (var i = 0; i < count; i++)
                await connection.SendAsync(Http2Connection.Continuation, 0, 1, fields);
        }
        catch (IOException)
        {
            isClosed = true;
        }

        if (!isClosed)
            (await connection.ReadAsync(1)).ShouldBeOneOf("431", "goaway 0", "goaway 1", "goaway 11", "closed");
        backend.Received.ShouldBeEmpty();
        (await gateway.GetAsync("ada", "https://wiki.contoso.test/")).Body.ShouldBe("the wiki");
    }

    /// <summary>Streams that are reset as soon as they begin (CVE-2023-44487).</summary>
    [Fact]
    public async Task A_rapid_reset_ends_the_connection_and_other_clients_are_served()
    {
        await using var gateway = await TestGateway.StartAsync(wiki: static async context =>
        {
            if (context.Request.Path == "/page")
                await Task.Delay(TimeSpan.FromSeconds(30), context.RequestAborted);
        });
        await using var connection = await Http2Connection.OpenAsync(gateway);
        var block = Http2Connection.Encode(Request(gateway));
        var isClosed = false;
        try
        {
            for (var i = 0; i < 3000; i++)
            {
                await connection.SendAsync(
                    Http2Connection.Headers, Http2Connection.EndHeaders | Http2Connection.EndStream, (2 * i) + 1, block);
                await connection.SendAsync(Http2Connection.Reset, 0, (2 * i) + 1, [0, 0, 0, 8]);
            }
        }
        catch (IOException)
        {
            isClosed = true;
        }

        if (!isClosed)
            (await connection.ReadAsync(7001, seconds: 3)).ShouldBeOneOf("goaway 11", "closed", "open");
        (await gateway.GetAsync("bob", "https://wiki.contoso.test/")).Status.ShouldBe(System.Net.HttpStatusCode.OK);
        (await gateway.GetAsync("bob")).Body.ShouldBe("bob@CONTOSO.TEST");
    }

    private static List<(string Name, string Value)> Request(TestGateway gateway) =>
    [
        (":method", "GET"), (":scheme", "https"), (":authority", "wiki.contoso.test"), (":path", "/page?x=1"),
        ("authorization", $"Bearer {gateway.Issuer.CreateToken("ada@contoso.test")}"),
    ];
}
