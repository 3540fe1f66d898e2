using System.Net.WebSockets;
using System.Security.Claims;
using KcdDelegation.AspNetCore.Requests;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>Sign-out: the tickets of the user are removed, and the user's delegated responses end, and no other user's.</summary>
public sealed class SignOutTests
{
    [Fact]
    public async Task Sign_out_removes_the_users_tickets_so_that_the_next_request_asks_the_KDC_again()
    {
        await using var site = await Site.StartAsync(Map);
        await site.GetTextAsync("ada", "/orders");
        await site.GetTextAsync("bob", "/orders");
        site.Realm.ClearTranscript();

        await site.GetTextAsync("ada", "/sign-out");
        await site.GetTextAsync("bob", "/orders");
        site.Realm.Transcript.ShouldBeEmpty();
        await site.GetTextAsync("ada", "/orders");
        site.Realm.Transcript.ShouldContain($"PROXY ada>{Site.Service} ok");
        site.Log.Records.Single(record => record.Id == 5010).Text.ShouldContain("removed tickets: 2");
    }

    [Fact]
    public async Task Sign_out_aborts_the_users_streams_and_no_other_users()
    {
        await using var site = await Site.StartAsync(Map);
        using var ada = await OpenStreamAsync(site, "ada");
        using var bob = await OpenStreamAsync(site, "bob");

        await site.GetTextAsync("ada", "/sign-out");

        await Should.ThrowAsync<IOException>(ReadToEndAsync(ada));
        (await ReadAsync(bob)).ShouldBe("tick");
    }

    [Fact]
    public async Task Sign_out_aborts_the_users_web_sockets()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var site = await Site.StartAsync(Map);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {site.CreateToken("ada")}");
        await socket.ConnectAsync(new UriBuilder(new Uri(site.Address, "/socket")) { Scheme = "ws" }.Uri, cancellation);
        var buffer = new byte[64];
        (await socket.ReceiveAsync(buffer.AsMemory(), cancellation)).Count.ShouldBeGreaterThan(0);

        await site.GetTextAsync("ada", "/sign-out");

        await Should.ThrowAsync<WebSocketException>(socket.ReceiveAsync(buffer.AsMemory(), cancellation).AsTask());
    }

    [Fact]
    public async Task A_stream_that_is_not_delegated_is_not_aborted()
    {
        await using var site = await Site.StartAsync(Map);
        using var response = await site.SendAsync("ada", "/own-stream");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        (await ReadAsync(reader)).ShouldBe("tick");

        await site.GetTextAsync("ada", "/sign-out");

        (await ReadAsync(reader)).ShouldBe("tick");
    }

    [Fact]
    public async Task A_cookie_and_a_bearer_token_of_one_user_end_together()
    {
        await using var site = await Site.StartAsync(Map);
        using var ada = await OpenStreamAsync(site, "ada");
        var oid = await site.GetTextAsync("ada", "/oid");
        var cookie = new ClaimsPrincipal(new ClaimsIdentity(
            [
                new Claim("http://schemas.microsoft.com/identity/claims/objectidentifier", oid),
                new Claim("http://schemas.microsoft.com/identity/claims/tenantid", TestIssuer.DefaultTenantId),
                new Claim(ClaimTypes.Upn, "ada@contoso.test"),
            ],
            "Cookies"));

        await site.Application.Services.GetRequiredService<KcdSessions>()
            .EndAsync(cookie, cancellationToken: TestContext.Current.CancellationToken);

        await Should.ThrowAsync<IOException>(ReadToEndAsync(ada));
    }

    [Fact]
    public async Task A_user_that_the_code_sets_or_the_hosts_accessor_names_is_the_one_whose_sign_out_counts()
    {
        await using var site = await Site.StartAsync(Map, configure: builder =>
            builder.Services.AddSingleton<ICallerAccessor>(new FixedCaller(Site.CreatePrincipal("bob"))));
        var response = await site.SendAsync("ada", "/stream");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        (await ReadAsync(reader)).ShouldBe("bob@CONTOSO.TEST");

        await site.Application.Services.GetRequiredService<KcdSessions>()
            .EndAsync(Site.CreatePrincipal("bob"), cancellationToken: TestContext.Current.CancellationToken);

        await Should.ThrowAsync<IOException>(ReadToEndAsync(reader));
    }

    [Fact]
    public async Task An_aborted_request_has_no_caller_so_that_it_gets_no_new_ticket()
    {
        var context = new DefaultHttpContext { User = Site.CreatePrincipal("ada") };
        var active = new ActiveRequests();
        var request = DelegatedRequest.Begin(context, active);
        request.Track(context.User);

        active.Abort(Site.CreatePrincipal("ada"), except: null).ShouldBe(1);

        request.GetUser().ShouldBeNull();
        request.End();
        active.Count.ShouldBe(0);
        await Task.CompletedTask;
    }

    [Fact]
    public void Requests_end_in_any_order()
    {
        var active = new ActiveRequests();
        var running = new List<DelegatedRequest>();
        for (var step = 0; step < 2000; step++)
        {
            if (running.Count == 0 || (running.Count < 20 && step % 7 < 4))
            {
                var context = new DefaultHttpContext { User = Site.CreatePrincipal($"user{step}") };
                running.Add(DelegatedRequest.Begin(context, active));
                running[^1].Track(context.User);
            }
            else
            {
                var ended = step * 31 % running.Count;
                running[ended].End();
                running.RemoveAt(ended);
            }
            active.Count.ShouldBe(running.Count);
        }
        foreach (var request in running)
        {
            active.Abort(request.GetUser()!, except: null).ShouldBe(1);
            request.End();
            request.End();
        }
        active.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_request_that_was_authenticated_before_the_sign_out_and_reaches_the_backend_after_it_is_aborted()
    {
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var site = await Site.StartAsync(app =>
        {
            Map(app);
            app.MapGet("/late", async (HttpContext context, IHttpClientFactory clients) =>
            {
                entered.SetResult();
                await go.Task;
                await context.Response.WriteAsync(await SendAsync(clients, context.User));
                await TickAsync(context);
            }).RequireAuthorization();
        });
        var late = site.SendAsync("ada", "/late");
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        await site.GetTextAsync("ada", "/sign-out");
        go.SetResult();

        await Should.ThrowAsync<HttpRequestException>(late.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        site.Backend.Requests.ShouldBeEmpty();
        (await site.GetTextAsync("ada", "/orders")).ShouldBe("ada@CONTOSO.TEST");
    }

    [Fact]
    public async Task An_aborted_request_sends_nothing_more_even_with_a_caller_that_the_code_sets()
    {
        var (go, outcome) = (new TaskCompletionSource(), new TaskCompletionSource<Exception?>());
        await using var site = await Site.StartAsync(app =>
        {
            Map(app);
            app.MapGet("/twice", async (HttpContext context, IHttpClientFactory clients) =>
            {
                var user = context.User;
                await context.Response.WriteAsync(await SendAsync(clients, user) + "\n");
                await context.Response.Body.FlushAsync();
                await go.Task;
                // A clone, as a host's transformation of claims creates it.
                outcome.SetResult(await Record.ExceptionAsync(() => SendAsync(clients, user.Clone())));
            }).RequireAuthorization();
        });
        using var response = await site.SendAsync("ada", "/twice");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        (await ReadAsync(reader)).ShouldBe("ada@CONTOSO.TEST");

        await site.GetTextAsync("ada", "/sign-out");
        go.SetResult();

        (await outcome.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken))
            .ShouldBeAssignableTo<OperationCanceledException>();
        site.Backend.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("ada", true)]
    [InlineData("bob", false)]
    public void A_sign_out_refuses_only_its_own_user_and_only_requests_that_began_before(string user, bool isRefused)
    {
        var active = new ActiveRequests();
        var before = DelegatedRequest.Begin(new DefaultHttpContext { User = Site.CreatePrincipal(user) }, active);

        active.Abort(Site.CreatePrincipal("ada"), except: null).ShouldBe(0);

        if (isRefused)
            Should.Throw<OperationCanceledException>(() => before.Track(Site.CreatePrincipal(user)));
        else
            before.Track(Site.CreatePrincipal(user));
        (before.GetUser() is null).ShouldBe(isRefused);
        var after = DelegatedRequest.Begin(new DefaultHttpContext { User = Site.CreatePrincipal(user) }, active);
        after.Track(Site.CreatePrincipal(user));
        after.GetUser().ShouldNotBeNull();
        before.End();
        after.End();
        active.Count.ShouldBe(0);
    }

    [Fact]
    public void The_request_that_signs_the_user_out_can_still_be_delegated()
    {
        var (context, active) = (new DefaultHttpContext { User = Site.CreatePrincipal("ada") }, new ActiveRequests());
        var request = DelegatedRequest.Begin(context, active);

        active.Abort(context.User, context).ShouldBe(0);
        request.Track(context.User);

        request.GetUser().ShouldBeSameAs(context.User);
    }

    [Fact]
    public void A_request_that_began_before_more_sign_outs_than_are_kept_is_refused()
    {
        var active = new ActiveRequests();
        var old = DelegatedRequest.Begin(new DefaultHttpContext(), active);
        active.Abort(Site.CreatePrincipal("bob"), except: null);
        var oldest = DelegatedRequest.Begin(new DefaultHttpContext(), active);
        for (var i = 0; i < RecentSignOuts.Capacity; i++)
            active.Abort(Site.CreatePrincipal("bob"), except: null);

        Should.Throw<OperationCanceledException>(() => old.Track(Site.CreatePrincipal("ada")));
        oldest.Track(Site.CreatePrincipal("ada"));
    }

    [Fact]
    public void Work_that_outlives_its_request_may_send_as_a_caller_that_the_code_sets()
    {
        var active = new ActiveRequests();
        var request = DelegatedRequest.Begin(new DefaultHttpContext { User = Site.CreatePrincipal("ada") }, active);
        request.End();
        active.Abort(Site.CreatePrincipal("ada"), except: null);

        request.Track(Site.CreatePrincipal("ada"));

        active.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Ended_requests_leave_nothing_behind()
    {
        await using var site = await Site.StartAsync(Map);
        for (var i = 0; i < 20; i++)
            await site.GetTextAsync("ada", "/orders");

        site.Application.Services.GetRequiredService<ActiveRequests>().Count.ShouldBe(0);
    }

    [Fact]
    public void A_request_that_has_ended_is_never_aborted_because_its_context_serves_another_user()
    {
        using var aborted = new CancellationTokenSource();
        var context = new DefaultHttpContext { User = Site.CreatePrincipal("ada") };
        var active = new ActiveRequests();
        var request = DelegatedRequest.Begin(context, active);
        request.Track(context.User);
        request.End();

        request.TryAbort(Site.CreatePrincipal("ada"), except: null).ShouldBeFalse();
        active.Abort(Site.CreatePrincipal("ada"), except: null).ShouldBe(0);
    }

    [Theory]
    [InlineData("oid=1", "oid=1", true)]
    [InlineData("oid=1", "oid=2", false)]
    [InlineData("oid=1 sub=x", "oid=2 sub=x", false)]
    [InlineData("oid=1 sub=x", "oid=1 sub=y", true)]
    [InlineData("oid=1 tid=a", "oid=1 tid=b", false)]
    [InlineData("oid=1 tid=a iss=v1", "oid=1 tid=a iss=v2", true)]
    [InlineData("oid=1 tid=a iss=v1", "oid=2 tid=a iss=v1", false)]
    [InlineData("oid=1 tid=a iss=v1", "oid=1 iss=v2", false)]
    [InlineData("oid=1 iss=v1", "oid=1 iss=v2", false)]
    [InlineData("sub=1 tid=a iss=v1", "sub=1 tid=a iss=v2", false)]
    [InlineData("oid=1 sub=1 tid=a iss=v1", "sub=1 tid=a iss=v2", false)]
    [InlineData("sub=1 iss=a", "sub=1 iss=b", false)]
    [InlineData("sub=1", "sub=1", true)]
    [InlineData("upn=Ada", "upn=ada", false)]
    [InlineData("upn=ada", "name=ada", false)]
    [InlineData("", "", false)]
    public void Two_principals_are_of_one_user_if_their_strongest_common_identifier_agrees(string first, string second, bool isSame) =>
        SameUser.Is(Principal(first), Principal(second)).ShouldBe(isSame);

    private sealed class FixedCaller(ClaimsPrincipal caller) : ICallerAccessor
    {
        public ClaimsPrincipal? Caller => caller;
    }

    private static ClaimsPrincipal Principal(string claims) => new(new ClaimsIdentity(
        claims.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(claim => claim.Split('='))
            .Select(parts => new Claim(parts[0], parts[1])),
        "test"));

    private static async Task<string> SendAsync(IHttpClientFactory clients, ClaimsPrincipal caller)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "orders");
        request.SetCaller(caller);
        using var response = await clients.CreateClient("erp").SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }

    private static async Task<StreamReader> OpenStreamAsync(Site site, string user)
    {
        var response = await site.SendAsync(user, "/stream");
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        (await ReadAsync(reader)).ShouldBe($"{user}@CONTOSO.TEST");
        return reader;
    }

    private static async Task ReadToEndAsync(StreamReader reader)
    {
        while (await ReadAsync(reader) is not null)
        {
        }
    }

    private static async Task<string?> ReadAsync(StreamReader reader) =>
        await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask()
            .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

    private static void Map(WebApplication app)
    {
        app.UseWebSockets();
        app.MapGet("/sign-out", (HttpContext context) => context.EndKcdSessionAsync()).RequireAuthorization();
        app.MapGet("/oid", (HttpContext context) => context.User.FindFirst("oid")!.Value).RequireAuthorization();
        app.MapGet("/stream", async (HttpContext context, IHttpClientFactory clients) =>
        {
            await context.Response.WriteAsync(
                await clients.CreateClient("erp").GetStringAsync(new Uri("orders", UriKind.Relative)) + "\n");
            await TickAsync(context);
        }).RequireAuthorization();
        app.MapGet("/own-stream", TickAsync).RequireAuthorization();
        app.MapGet("/socket", async (HttpContext context, IHttpClientFactory clients) =>
        {
            var user = await clients.CreateClient("erp").GetByteArrayAsync(new Uri("orders", UriKind.Relative));
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.SendAsync(user, WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            await socket.ReceiveAsync(new byte[64].AsMemory(), context.RequestAborted);
        }).RequireAuthorization();
    }

    private static async Task TickAsync(HttpContext context)
    {
        while (!context.RequestAborted.IsCancellationRequested)
        {
            await context.Response.WriteAsync("tick\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(50, context.RequestAborted);
        }
    }
}
