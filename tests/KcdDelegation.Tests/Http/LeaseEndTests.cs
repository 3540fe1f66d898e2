using System.Net;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests when the lease of a connection ends, with responses whose headers contradict each other.</summary>
public sealed class LeaseEndTests
{
    [Fact]
    public async Task A_chunked_body_keeps_its_lease_whatever_Content_Length_says()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RawBackend(async request =>
        {
            if (request.Path != "/chunked")
            {
                await request.WriteUserAsync();
                return;
            }
            await request.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
            await release.Task;
            await request.WriteAsync("6\r\nsecond\r\n0\r\n\r\n");
        });
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        using var response = await client.SendAsync(
            FakeDelegation.As("ada", "/chunked"), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        var waiting = client.GetStringAsAsync("bob");
        await Task.Delay(100, TestContext.Current.CancellationToken);
        waiting.IsCompleted.ShouldBeFalse();

        release.SetResult();
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("firstsecond");
        (await waiting).ShouldBe("bob");
    }

    [Theory]
    [InlineData("Content-Length: 0\r\n")]
    [InlineData("")]
    public async Task An_upgraded_connection_keeps_its_lease_whatever_Content_Length_says(string field)
    {
        await using var backend = new RawBackend(async request =>
        {
            if (request.Path != "/socket")
            {
                await request.WriteUserAsync();
                return;
            }
            await request.WriteAsync($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{field}\r\n");
            await Task.Delay(Timeout.Infinite, request.CancellationToken);
        });
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        using var request = FakeDelegation.As("ada", "/socket");
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        var response = await client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.SwitchingProtocols);
        var waiting = client.GetStringAsAsync("bob");
        await Task.Delay(100, TestContext.Current.CancellationToken);
        waiting.IsCompleted.ShouldBeFalse();

        response.Dispose();
        (await waiting).ShouldBe("bob");
    }

    [Fact]
    public async Task A_response_that_is_never_read_or_disposed_ends_its_lease_when_it_is_collected()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        await ForgetAsync(client);
        var waiting = client.GetStringAsAsync("bob");
        while (!waiting.IsCompleted)
        {
            GC.Collect();
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        (await waiting).ShouldBe("hello");
    }

    [Fact]
    public async Task A_stream_that_is_still_read_keeps_the_lease_of_a_response_that_is_collected()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RawBackend(async request =>
        {
            if (request.Path != "/stream")
            {
                await request.WriteUserAsync();
                return;
            }
            await request.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nfirst");
            await release.Task;
            await request.WriteAsync("second");
        });
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        var stream = await OpenAsync(client);
        var waiting = client.GetStringAsAsync("bob");
        for (var round = 0; round < 10; round++)
        {
            GC.Collect();
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        waiting.IsCompleted.ShouldBeFalse();
        release.SetResult();
        using var reader = new StreamReader(stream);
        (await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldBe("firstsecond");
        (await waiting).ShouldBe("bob");
    }

    [Fact]
    public async Task Responses_that_were_read_to_their_end_and_not_disposed_are_not_finalized()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        var contents = new List<WeakReference>();
        for (var i = 0; i < 50; i++)
            contents.Add(await ReadToEndAsync(client));
        GC.Collect();
        // Locals of this method may still refer to the last ones.
        contents.Count(static content => content.IsAlive).ShouldBeLessThan(10);
    }

    /// <summary>Returns a reference that a finalizer keeps alive.</summary>
    private static async Task<WeakReference> ReadToEndAsync(HttpClient client)
    {
        var response = await client.SendAsync(
            FakeDelegation.As("ada"), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        await stream.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        return new WeakReference(response.Content, trackResurrection: true);
    }

    private static async Task ForgetAsync(HttpClient client) => await client.SendAsync(
        FakeDelegation.As("ada"), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

    private static async Task<Stream> OpenAsync(HttpClient client)
    {
        var response = await client.SendAsync(
            FakeDelegation.As("ada", "/stream"), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
    }
}
