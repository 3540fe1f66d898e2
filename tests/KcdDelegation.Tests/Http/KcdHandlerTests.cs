using System.Net;
using System.Net.WebSockets;
using System.Security.Claims;
using KcdDelegation.Diagnosis;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Tests.Http;

public sealed class KcdHandlerTests
{
    [Fact]
    public async Task Each_request_is_sent_as_its_caller_with_a_new_token()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        for (var round = 0; round < 5; round++)
        {
            using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);
            (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("hello");
        }
        backend.Seen.Count.ShouldBe(5);
        backend.Seen.ShouldAllBe(seen => seen.Ticket.User == "ada");
        backend.Seen.Select(seen => seen.Authorization).ShouldBeUnique();
    }

    [Fact]
    public async Task Users_never_share_a_connection()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        for (var round = 0; round < 4; round++)
        {
            foreach (var user in (string[])["ada", "bob", "Ada", "eve"])
                await client.GetStringAsAsync(user);
        }
        var connections = backend.Seen.GroupBy(seen => seen.Connection, StringComparer.Ordinal).ToList();
        connections.Count.ShouldBe(4, "each user keeps a separate connection");
        connections.ShouldAllBe(requests => requests.Select(seen => seen.Ticket.User).Distinct().Count() == 1);
    }

    [Fact]
    public async Task Users_of_an_application_that_authenticates_each_request_may_share_a_connection()
    {
        await using var backend = await FakeBackend.StartAsync();
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { ShareConnectionsBetweenUsers = true };
        using var client = delegation.CreateClient();
        foreach (var user in (string[])["ada", "bob", "eve"])
            await client.GetStringAsAsync(user);

        backend.Seen.Select(seen => seen.Connection).Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
        backend.Seen.Select(seen => seen.Ticket.User).ShouldBe(["ada", "bob", "eve"]);
    }

    [Fact]
    public async Task Without_a_caller_nothing_is_sent()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();

        var error = await Should.ThrowAsync<KcdException>(
            () => client.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken));
        (error.Stage, error.EventId).ShouldBe((KcdStage.Identity, KcdEventId.CallerMissing));
        backend.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_a_ticket_nothing_is_sent()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();

        var error = await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("mallory"));
        error.EventId.ShouldBe(KcdEventId.NoIdentity);
        backend.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_request_s_own_caller_takes_precedence_over_the_accessor()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient(callers: new FixedCaller("bob"));
        await client.GetStringAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
        await client.GetStringAsAsync("ada");
        backend.Seen.Select(seen => seen.Ticket.User).ShouldBe(["bob", "ada"]);
    }

    [Fact]
    public void A_caller_who_is_not_authenticated_is_refused_at_once()
    {
        using var request = new HttpRequestMessage();
        Should.Throw<ArgumentException>(() => request.SetCaller(new ClaimsPrincipal()));
        Should.Throw<ArgumentException>(() => request.SetCaller(Anonymous("ada")));
    }

    [Fact]
    public async Task An_unauthenticated_principal_of_the_accessor_is_refused_although_it_has_claims()
    {
        await using var backend = await FakeBackend.StartAsync();
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient(callers: new FixedCaller(Anonymous("ada")));

        var error = await Should.ThrowAsync<KcdException>(
            () => client.GetStringAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken));

        (error.EventId, error.Kind).ShouldBe((KcdEventId.CallerMissing, KcdErrorKind.NotAuthenticated));
        delegation.TicketsAsked.ShouldBe(0);
        backend.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task Redirects_are_not_followed()
    {
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            context.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        });
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        backend.Seen.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Cookies_of_the_backend_are_not_kept()
    {
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            context.Response.Cookies.Append("session", "secret");
            return Task.CompletedTask;
        });
        using var client = new FakeDelegation(backend.Url).CreateClient();
        await client.GetStringAsAsync("ada");
        await client.GetStringAsAsync("ada");
        backend.Seen.ShouldAllBe(seen => !seen.Headers.ContainsKey("Cookie"));
    }

    [Fact]
    public async Task A_401_to_the_ticket_is_returned_with_the_cause_and_without_the_negotiation()
    {
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Negotiate oQcwBaADCgEC, NTLM, Basic realm=\"app\"";
            context.Response.Headers["Persistent-Auth"] = "true";
            return context.Response.WriteAsync("denied");
        });
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Basic realm=\"app\"");
        response.Headers.Contains("Persistent-Auth").ShouldBeFalse();
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("denied");
        var refusal = response.GetKcdRefusal().ShouldNotBeNull();
        (refusal.Stage, refusal.EventId, refusal.IsTransient).ShouldBe((KcdStage.Target, KcdEventId.TicketRefused, false));
        refusal.Remedy.ShouldContain("setspn -Q");
        backend.Seen.Count.ShouldBe(1, "a refusal is not tried again");
    }

    [Fact]
    public async Task The_negotiation_is_removed_from_the_response()
    {
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            context.Response.Headers.WWWAuthenticate = "Negotiate oQcwBaADCgEA";
            context.Response.Headers["Persistent-Auth"] = "true";
            context.Response.Headers["X-Own"] = "kept";
            return Task.CompletedTask;
        });
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.GetKcdRefusal().ShouldBeNull();
        response.Headers.Contains("WWW-Authenticate").ShouldBeFalse();
        response.Headers.Contains("Persistent-Auth").ShouldBeFalse();
        response.Headers.GetValues("X-Own").ShouldBe(["kept"]);
    }

    [Fact]
    public async Task The_ticket_is_removed_from_the_request()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);
        backend.Seen.Single().Authorization.ShouldNotBeNull();
        response.RequestMessage!.Headers.Authorization.ShouldBeNull();
    }

    [Fact]
    public async Task A_WebSocket_keeps_the_user_s_lease_until_it_is_closed()
    {
        await using var backend = await FakeBackend.StartAsync(async context =>
        {
            if (!context.WebSockets.IsWebSocketRequest)
                return;
            using var server = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[16];
            var received = await server.ReceiveAsync(buffer, context.RequestAborted);
            await server.SendAsync(
                buffer.AsMemory(0, received.Count), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            await server.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        });
        var delegation = new FakeDelegation(backend.Url);
        delegation.Limit(limits => limits with { MaxUsers = 1 });
        using var handler = new KcdHandler(delegation, "app", createHandler: null, new FixedCaller("ada"));
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(backend.Url) { Scheme = "ws" }.Uri, invoker, TestContext.Current.CancellationToken);

        using var waiting = FakeDelegation.As("bob", backend.Url.AbsoluteUri);
        var bob = invoker.SendAsync(waiting, TestContext.Current.CancellationToken);
        bob.IsCompleted.ShouldBeFalse();
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
        var echo = new byte[16];
        var length = (await socket.ReceiveAsync(echo, TestContext.Current.CancellationToken)).Count;
        echo.AsSpan(0, length).SequenceEqual("hello"u8).ShouldBeTrue();
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        socket.Dispose();

        (await bob).StatusCode.ShouldBe(HttpStatusCode.OK);
        backend.Seen.Select(seen => seen.Ticket.User).ShouldBe(["ada", "bob"]);
    }

    [Fact]
    public async Task A_disposed_handler_sends_nothing()
    {
        await using var backend = await FakeBackend.StartAsync();
        var inner = new KcdHandler(new FakeDelegation(backend.Url), "app", createHandler: null, callers: null);
        using var invoker = new HttpMessageInvoker(inner, disposeHandler: false);
        inner.Dispose();
        using var request = FakeDelegation.As("ada", backend.Url.AbsoluteUri);
        await Should.ThrowAsync<ObjectDisposedException>(() => invoker.SendAsync(request, TestContext.Current.CancellationToken));
        backend.Seen.ShouldBeEmpty();
    }

    /// <summary>Creates a principal with a name that no scheme has authenticated.</summary>
    private static ClaimsPrincipal Anonymous(string name) => new(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)]));

    private sealed class FixedCaller(ClaimsPrincipal caller) : ICallerAccessor
    {
        public FixedCaller(string name) : this(FakeDelegation.Caller(name))
        {
        }

        public ClaimsPrincipal? Caller => caller;
    }
}

internal static class ClientExtensions
{
    public static async Task<string> GetStringAsAsync(this HttpClient client, string user, string path = "/")
    {
        using var response = await client.SendAsync(FakeDelegation.As(user, path), TestContext.Current.CancellationToken);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
