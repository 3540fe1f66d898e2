using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net.WebSockets;
using KcdDelegation.Diagnosis;
using KcdDelegation.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests the bounds of users and of connections: what waits, for how long, and what shows it.</summary>
public sealed class ConnectionLimitTests
{
    private static readonly TimeSpan s_shortWait = TimeSpan.FromMilliseconds(200);

    [Fact]
    public async Task A_user_who_waits_too_long_is_refused_for_now()
    {
        await using var backend = await FakeBackend.StartAsync(StreamAsync);
        var delegation = new FakeDelegation(backend.Url);
        delegation.Limit(limits => limits with { MaxWait = s_shortWait });
        using var client = delegation.CreateClient(capacity: 2);
        using var ada = await OpenAsync(client, "ada");
        var bob = await OpenAsync(client, "bob");

        var error = await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("eve"));
        (error.EventId, error.Stage, error.Kind, error.IsTransient)
            .ShouldBe((KcdEventId.UserLimitReached, KcdStage.Target, KcdErrorKind.Unavailable, true));
        error.Cause.ShouldContain("2 other users");
        error.Remedy.ShouldContain("MaxUsers");
        backend.Seen.ShouldAllBe(seen => seen.Ticket.User != "eve");

        bob.Dispose();
        (await client.GetStringAsAsync("eve")).ShouldBe("hello");
    }

    [Fact]
    public async Task A_user_with_too_many_streams_waits_and_is_refused_and_others_are_not()
    {
        await using var backend = await FakeBackend.StartAsync(StreamAsync);
        var delegation = new FakeDelegation(backend.Url);
        delegation.Limit(limits => limits with { MaxConnectionsPerUser = 2, MaxWait = s_shortWait });
        using var client = delegation.CreateClient();
        using var first = await OpenAsync(client, "ada");
        var second = await OpenAsync(client, "ada");

        var error = await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("ada"));
        (error.EventId, error.Kind, error.IsTransient)
            .ShouldBe((KcdEventId.ConnectionLimitReached, KcdErrorKind.Unavailable, true));
        error.Remedy.ShouldContain("MaxConnectionsPerUser");
        (await client.GetStringAsAsync("bob")).ShouldBe("hello");

        var waiting = client.GetStringAsAsync("ada");
        second.Dispose();
        (await waiting).ShouldBe("hello");
    }

    [Fact]
    public async Task A_user_s_requests_wait_for_the_limit_of_the_factory_too()
    {
        await using var backend = await FakeBackend.StartAsync(StreamAsync);
        var delegation = new FakeDelegation(backend.Url);
        delegation.Limit(limits => limits with { MaxWait = s_shortWait });
        using var client = delegation.CreateClient(() => new SocketsHttpHandler { MaxConnectionsPerServer = 1 });
        using var stream = await OpenAsync(client, "ada");
        (await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("ada"))).EventId
            .ShouldBe(KcdEventId.ConnectionLimitReached);
    }

    [Fact]
    public async Task Streams_of_one_user_take_one_slot_however_often_the_certificate_changes()
    {
        await using var backend = await FakeBackend.StartTlsAsync(StreamAsync, certificates: 10);
        var delegation = new FakeDelegation(backend.Url);
        delegation.Limit(limits => limits with { MaxConnectionsPerUser = 10, MaxWait = s_shortWait });
        using var client = delegation.CreateClient(capacity: 2);
        var streams = new List<HttpResponseMessage>();
        for (var stream = 0; stream < 10; stream++)
            streams.Add(await OpenAsync(client, "ada"));
        backend.Seen.Select(seen => seen.Certificate).Distinct().Count().ShouldBeGreaterThan(1);

        (await client.GetStringAsAsync("bob")).ShouldBe("hello");
        (await client.GetStringAsAsync("eve")).ShouldBe("hello");
        // The streams on connections that accept no further request count too.
        (await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("ada"))).EventId
            .ShouldBe(KcdEventId.ConnectionLimitReached);
        streams.ForEach(stream => stream.Dispose());
        (await client.GetStringAsAsync("ada")).ShouldBe("hello");
    }

    [Fact]
    public async Task A_warning_precedes_the_limit_once()
    {
        await using var backend = await FakeBackend.StartAsync(StreamAsync);
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient(capacity: 10);
        var streams = new List<HttpResponseMessage>();
        for (var user = 0; user < 7; user++)
            streams.Add(await OpenAsync(client, $"user{user}"));
        delegation.Log.Records.ShouldBeEmpty();
        for (var user = 7; user < 10; user++)
            streams.Add(await OpenAsync(client, $"user{user}"));

        var record = delegation.Log.Records.ShouldHaveSingleItem();
        (record.Category, record.Id, record.Level).ShouldBe(("KcdDelegation", KcdEventId.UsersNearLimit, LogLevel.Warning));
        record.Text.ShouldContain("users with connections to app: 8");
        streams.ForEach(stream => stream.Dispose());
    }

    [Fact]
    public async Task The_warning_is_repeated_after_the_number_of_users_has_fallen()
    {
        await using var backend = await FakeBackend.StartAsync();
        var time = new FakeTimeProvider();
        var delegation = new FakeDelegation(backend.Url) { Time = time };
        using var client = delegation.CreateClient(capacity: 10);
        for (var round = 1; round <= 2; round++)
        {
            for (var user = 0; user < 10; user++)
                await client.GetStringAsAsync($"user{user}");
            delegation.Log.Records.Count.ShouldBe(round);
            // Idle users are dropped after five minutes.
            for (var minute = 0; minute < 7; minute++)
                time.Advance(TimeSpan.FromMinutes(1));
        }
        await client.GetStringAsAsync("user0");
        delegation.Log.Records.ShouldAllBe(record => record.Id == KcdEventId.UsersNearLimit);
    }

    [Fact]
    public async Task A_changed_limit_is_in_effect_for_the_next_user()
    {
        await using var backend = await FakeBackend.StartAsync(StreamAsync);
        var delegation = new FakeDelegation(backend.Url);
        delegation.Limit(limits => limits with { MaxWait = s_shortWait });
        using var client = delegation.CreateClient(capacity: 1);
        using var ada = await OpenAsync(client, "ada");
        await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("bob"));
        delegation.Limit(limits => limits with { MaxUsers = 2 });
        await client.GetStringAsAsync("bob");
        delegation.Limit(limits => limits with { MaxUsers = 1 });
        await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("eve"));
    }

    [Fact]
    public async Task WebSockets_hold_slots_and_a_further_user_is_refused_visibly()
    {
        await using var backend = await FakeBackend.StartAsync(async context =>
        {
            if (!context.WebSockets.IsWebSocketRequest)
                return;
            using var server = await context.WebSockets.AcceptWebSocketAsync();
            await server.ReceiveAsync(new byte[1], context.RequestAborted);
        });
        var delegation = new FakeDelegation(backend.Url);
        delegation.Limit(limits => limits with { MaxWait = s_shortWait });
        using var client = delegation.CreateClient(callers: new NextCaller(), capacity: 3);
        var sockets = new List<ClientWebSocket>();
        for (var user = 0; user < 3; user++)
        {
            var socket = new ClientWebSocket();
            sockets.Add(socket);
            await socket.ConnectAsync(
                new UriBuilder(backend.Url) { Scheme = "ws" }.Uri, client, TestContext.Current.CancellationToken);
        }
        (await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("eve"))).EventId.ShouldBe(KcdEventId.UserLimitReached);
        sockets.ForEach(socket => socket.Dispose());
        (await client.GetStringAsAsync("eve")).ShouldBe("");
    }

    [Fact]
    public async Task Gauges_show_users_connections_and_waiting_requests()
    {
        var name = $"app-{Guid.NewGuid():N}";
        var values = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name.StartsWith("kcd.connection_pool.", StringComparison.Ordinal))
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, change, tags, _) =>
        {
            tags.Length.ShouldBe(1);
            if ((string?)tags[0].Value == name)
                values.AddOrUpdate(instrument.Name, change, (_, sum) => sum + change);
        });
        listener.Start();

        await using var backend = await FakeBackend.StartAsync(StreamAsync);
        var delegation = new FakeDelegation(backend.Url, name);
        delegation.Limit(limits => limits with { MaxWait = TimeSpan.FromMinutes(1) });
        var client = delegation.CreateClient(capacity: 2);
        using (await OpenAsync(client, "ada"))
        using (await OpenAsync(client, "ada"))
        using (await OpenAsync(client, "bob"))
        {
            Read("users").ShouldBe(2);
            Read("connections").ShouldBe(3);
            var waiting = client.GetStringAsAsync("eve");
            await Eventually(() => Read("waiting_requests") == 1);
            await Should.ThrowAsync<KcdException>(async () =>
            {
                delegation.Limit(limits => limits with { MaxUsers = 1, MaxWait = s_shortWait });
                await client.GetStringAsAsync("mia");
            });
            delegation.Limit(limits => limits with { MaxUsers = 3 });
            await client.GetStringAsAsync("mia");
            await waiting;
        }
        Read("waiting_requests").ShouldBe(0);
        client.Dispose();
        await Eventually(() => Read("users") == 0 && Read("connections") == 0);

        long Read(string instrument) => values.GetValueOrDefault($"kcd.connection_pool.{instrument}");
    }

    [Fact]
    public async Task A_handler_that_is_disposed_rejects_requests_that_wait()
    {
        await using var backend = await FakeBackend.StartAsync(StreamAsync);
        var delegation = new FakeDelegation(backend.Url);
        delegation.Limit(limits => limits with { MaxUsers = 1, MaxConnectionsPerUser = 1 });
        using var handler = new HttpMessageInvoker(new KcdHandler(delegation, "app", createHandler: null, callers: null));
        using var stream = await handler.SendAsync(Absolute("ada", "/stream"), TestContext.Current.CancellationToken);
        var waiting = new[] { handler.SendAsync(Absolute("ada", "/"), TestContext.Current.CancellationToken),
            handler.SendAsync(Absolute("bob", "/"), TestContext.Current.CancellationToken) };
        handler.Dispose();
        foreach (var request in waiting)
            await Should.ThrowAsync<ObjectDisposedException>(request);
        backend.Seen.Count.ShouldBe(1);

        HttpRequestMessage Absolute(string user, string path)
        {
            var request = FakeDelegation.As(user, path);
            request.RequestUri = new Uri(backend.Url, path);
            return request;
        }
    }

    [Fact]
    public void A_factory_without_a_connect_time_out_gets_one()
    {
        using var handler = new SocketsHttpHandlers(static () => new SocketsHttpHandler()).Create();
        handler.ConnectTimeout.ShouldBe(TimeSpan.FromSeconds(15));
        using var own = new SocketsHttpHandlers(
            static () => new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromMinutes(1) }).Create();
        own.ConnectTimeout.ShouldBe(TimeSpan.FromMinutes(1));
    }

    private static async Task StreamAsync(HttpContext context)
    {
        await context.Response.WriteAsync("hello");
        if (context.Request.Path != "/stream")
            return;
        await context.Response.Body.FlushAsync();
        await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static Task<HttpResponseMessage> OpenAsync(HttpClient client, string user) => client.SendAsync(
        FakeDelegation.As(user, "/stream"), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

    private static async Task Eventually(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(5, TestContext.Current.CancellationToken);
    }

    /// <summary>An accessor that returns another caller each time.</summary>
    private sealed class NextCaller : ICallerAccessor
    {
        private int _number;

        public System.Security.Claims.ClaimsPrincipal? Caller => FakeDelegation.Caller($"user{Interlocked.Increment(ref _number)}");
    }
}
