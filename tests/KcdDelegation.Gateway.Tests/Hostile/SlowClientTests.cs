using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>Clients that read or send too slowly. Their requests end, those to the application too, and others are served.</summary>
public sealed class SlowClientTests(HostileApplicationSite site) : IClassFixture<HostileApplicationSite>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Clients_that_do_not_read_keep_no_connection_of_an_application()
    {
        var started = Stopwatch.GetTimestamp();
        var cancellation = TestContext.Current.CancellationToken;
        var streams = new List<IAsyncDisposable>();
        var ended = new List<Task>();
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            for (var i = 0; i < 20; i++)
            {
                var (path, end) = site.AddEndless();
                ended.Add(end);
                if (i % 2 == 0)
                {
                    var stream = await site.Gateway.ConnectAsync($"{application}.contoso.test");
                    streams.Add(stream);
                    await stream.WriteAsync(
                        Encoding.ASCII.GetBytes(
                            $"GET {path} HTTP/1.1\r\nHost: {application}.contoso.test\r\n{Wire.Authorization(site.Gateway)}\r\n"),
                        cancellation);
                }
                else
                {
                    // SETTINGS_INITIAL_WINDOW_SIZE 0, or the 64 KB that it is without a setting. The windows are never updated.
                    var connection = await Http2Connection.OpenAsync(site.Gateway, i % 4 == 1 ? [0, 4, 0, 0, 0, 0] : []);
                    streams.Add(connection);
                    await connection.SendAsync(
                        Http2Connection.Headers, Http2Connection.EndHeaders | Http2Connection.EndStream, 1,
                        Http2Connection.Encode(Request(application, path)));
                }
            }
            await site.ShouldServeAsync(application);
        }

        await Task.WhenAll(ended).WaitAsync(Limit, cancellation);

        // The time-out of the applications is two seconds.
        Stopwatch.GetElapsedTime(started).ShouldBeGreaterThan(TimeSpan.FromSeconds(1));
        foreach (var application in HostileApplicationSite.ApplicationNames)
            await site.ShouldServeAsync(application);
        foreach (var stream in streams)
            await stream.DisposeAsync();
    }

    /// <summary>The lowest rate of a body is 240 bytes per second, after five seconds.</summary>
    [Fact]
    public async Task Clients_that_send_too_slowly_are_cut_off_and_others_are_served()
    {
        var ends = new List<Task<string>>();
        foreach (var application in HostileApplicationSite.ApplicationNames)
        {
            foreach (var (size, pause) in ((int, int)[])[(0, 0), (1, 200), (20, 400)])
            {
                ends.Add(UploadHttp2Async(application, size, pause));
                ends.Add(UploadAsync(application, size, pause));
            }
        }
        ends.Add(ConnectAsync(""));
        ends.Add(ConnectAsync("\u0016\u0003\u0001"));

        while (!ends.TrueForAll(static end => end.IsCompleted))
        {
            foreach (var application in HostileApplicationSite.ApplicationNames)
                await site.ShouldServeAsync(application);
            await Task.Delay(1000, TestContext.Current.CancellationToken);
        }

        foreach (var end in ends)
            (await end).ShouldSatisfyAllConditions(text => text.ShouldNotBe("open"), text => text.ShouldNotBe("data"),
                text => text.ShouldNotStartWith("2"));
        site.Received.ShouldAllBe(request => !request.Line.Contains("/slow", StringComparison.Ordinal));
    }

    /// <summary>Sends parts of a body until the gateway ends the stream, and returns how.</summary>
    private async Task<string> UploadHttp2Async(string application, int size, int pause)
    {
        await using var connection = await Http2Connection.OpenAsync(site.Gateway);
        var fields = Request(application, "/slow");
        fields[0] = (":method", "POST");
        await connection.SendAsync(
            Http2Connection.Headers, Http2Connection.EndHeaders, 1,
            Http2Connection.Encode([.. fields, ("content-length", "1000000")]));
        var end = connection.ReadAsync(1, seconds: 30);
        await SendSlowlyAsync(end, pause, () => connection.SendAsync(Http2Connection.Data, 0, 1, new byte[size]));
        return await end;
    }

    private async Task<string> UploadAsync(string application, int size, int pause)
    {
        await using var stream = await site.Gateway.ConnectAsync($"{application}.contoso.test");
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST /slow HTTP/1.1\r\nHost: {application}.contoso.test\r\n{Wire.Authorization(site.Gateway)}"
                    + "Content-Length: 1000000\r\n\r\n"),
            TestContext.Current.CancellationToken);
        var end = StrictAnswer.ReadAsync(stream, seconds: 30);
        await SendSlowlyAsync(end, pause, () => stream.WriteAsync(new byte[size], TestContext.Current.CancellationToken).AsTask());
        var answer = await end;
        return answer.End == AnswerEnd.Open ? "open" : answer.Status == 0 ? "closed" : answer.Head[9..12];
    }

    private static async Task SendSlowlyAsync(Task end, int pause, Func<Task> sendAsync)
    {
        while (pause > 0 && !end.IsCompleted)
        {
            try
            {
                await sendAsync();
            }
            catch (IOException)
            {
                return;
            }
            await Task.Delay(pause, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Begins a handshake of TLS, and returns whether the gateway closes the connection.</summary>
    private async Task<string> ConnectAsync(string start)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(System.Net.IPAddress.Loopback, site.Gateway.Port, TestContext.Current.CancellationToken);
        await socket.GetStream().WriteAsync(Encoding.Latin1.GetBytes(start), TestContext.Current.CancellationToken);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Limit);
        try
        {
            return await socket.GetStream().ReadAsync(new byte[1], timeout.Token) == 0 ? "closed" : "data";
        }
        catch (IOException)
        {
            return "closed";
        }
        catch (OperationCanceledException)
        {
            return "open";
        }
    }

    private List<(string Name, string Value)> Request(string application, string path) =>
    [
        (":method", "GET"), (":scheme", "https"), (":authority", $"{application}.contoso.test"), (":path", path),
        ("authorization", $"Bearer {site.Gateway.Issuer.CreateToken("ada@contoso.test")}"),
    ];
}
