using System.Net;
using System.Security.Claims;
using KcdDelegation.AspNetCore.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>The caller of requests to backends: the user of the HTTP request, and of no other one.</summary>
public sealed class CallerTests
{
    [Fact]
    public async Task Each_request_is_delegated_as_its_own_user()
    {
        await using var site = await Site.StartAsync();

        foreach (var user in (string[])["ada", "bob", "ada", "bob"])
            (await site.GetTextAsync(user, "/orders")).ShouldBe($"{user}@CONTOSO.TEST");
    }

    [Fact]
    public async Task Concurrent_requests_of_two_users_never_get_the_response_of_the_other()
    {
        await using var site = await Site.StartAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            var user = i % 2 == 0 ? "ada" : "bob";
            return (user, Text: await site.GetTextAsync(user, "/orders"));
        }));

        answers.ShouldAllBe(answer => answer.Text == answer.user + "@CONTOSO.TEST");
    }

    [Fact]
    public async Task Work_that_a_request_started_has_no_caller_after_its_end_even_while_its_connection_serves_another_user()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var go = new TaskCompletionSource();
        var outcome = new TaskCompletionSource<string>();
        await using var site = await Site.StartAsync(app =>
        {
            app.MapGet("/start", (IHttpClientFactory clients) =>
            {
                _ = Task.Run(async () =>
                {
                    await go.Task;
                    try
                    {
                        outcome.SetResult(
                            await clients.CreateClient("erp").GetStringAsync(new Uri("late", UriKind.Relative), cancellation));
                    }
                    catch (Exception error)
                    {
                        outcome.SetResult(error is KcdException refusal ? $"event {refusal.EventId}" : error.ToString());
                    }
                }, cancellation);
                return "started";
            }).RequireAuthorization();
            app.MapGet("/hold", async (HttpContext context) =>
            {
                go.TrySetResult();
                return $"{context.Connection.Id} {await outcome.Task}";
            }).RequireAuthorization();
            app.MapGet("/connection", (HttpContext context) => context.Connection.Id);
        });

        (await site.GetTextAsync("ada", "/start")).ShouldBe("started");
        var connection = await site.GetTextAsync("bob", "/connection");

        // The client keeps one connection, so the server uses the context of the first request again.
        (await site.GetTextAsync("bob", "/hold")).ShouldBe($"{connection} event 1040");
        site.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_caller_that_the_code_sets_takes_precedence_over_the_user_of_the_request()
    {
        await using var site = await Site.StartAsync(app => app.MapGet("/as-bob", async (IHttpClientFactory clients) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "orders");
            request.SetCaller(Site.CreatePrincipal("bob"));
            using var response = await clients.CreateClient("erp").SendAsync(request);
            return await response.Content.ReadAsStringAsync();
        }).RequireAuthorization());

        (await site.GetTextAsync("ada", "/as-bob")).ShouldBe("bob@CONTOSO.TEST");
    }

    [Fact]
    public async Task Outside_of_a_request_a_client_sends_as_the_caller_that_is_set_and_refuses_without_one()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var site = await Site.StartAsync();
        var client = site.Application.Services.GetRequiredService<IHttpClientFactory>().CreateClient("erp");

        using var request = new HttpRequestMessage(HttpMethod.Get, "orders");
        request.SetCaller(Site.CreatePrincipal("ada"));
        using var response = await client.SendAsync(request, cancellation);
        (await response.Content.ReadAsStringAsync(cancellation)).ShouldBe("ada@CONTOSO.TEST");
        (await Should.ThrowAsync<KcdException>(client.GetAsync(new Uri("orders", UriKind.Relative), cancellation))).EventId.ShouldBe(1040);
    }

    [Fact]
    public async Task A_client_that_was_created_in_the_scope_of_one_request_sends_as_the_user_of_the_request_that_uses_it()
    {
        HttpClient? shared = null;
        await using var site = await Site.StartAsync(app => app.MapGet("/shared", (IHttpClientFactory clients) =>
            (shared ??= clients.CreateClient("erp")).GetStringAsync(new Uri("orders", UriKind.Relative))).RequireAuthorization());

        (await site.GetTextAsync("ada", "/shared")).ShouldBe("ada@CONTOSO.TEST");
        (await site.GetTextAsync("bob", "/shared")).ShouldBe("bob@CONTOSO.TEST");
    }

    [Fact]
    public async Task The_user_is_read_when_the_request_is_sent_so_that_later_authentication_counts()
    {
        await using var site = await Site.StartAsync(app => app.MapGet("/change", async (HttpContext context, IHttpClientFactory clients) =>
        {
            context.User = Site.CreatePrincipal("bob");
            return await clients.CreateClient("erp").GetStringAsync(new Uri("orders", UriKind.Relative));
        }));

        using var response = await site.SendAsync(null, "/change");
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("bob@CONTOSO.TEST");
    }

    [Fact]
    public async Task A_request_without_a_user_is_challenged_and_nothing_is_sent()
    {
        await using var site = await Site.StartAsync(app => app.MapGet("/open", (IHttpClientFactory clients) =>
            clients.CreateClient("erp").GetStringAsync(new Uri("orders", UriKind.Relative))));

        using var response = await site.SendAsync(null, "/open");

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
        site.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_accessor_of_the_host_is_kept()
    {
        await using var site = await Site.StartAsync(configure: builder =>
            builder.Services.AddSingleton<ICallerAccessor>(new FixedCaller(Site.CreatePrincipal("bob"))));

        (await site.GetTextAsync("ada", "/orders")).ShouldBe("bob@CONTOSO.TEST");
    }

    [Fact]
    public void A_request_that_has_ended_has_no_user()
    {
        var context = new DefaultHttpContext { User = Site.CreatePrincipal("ada") };
        var request = DelegatedRequest.Begin(context, new ActiveRequests());
        request.GetUser().ShouldBeSameAs(context.User);

        request.End();
        context.User = Site.CreatePrincipal("bob");

        request.GetUser().ShouldBeNull();
        new RequestCaller().Caller.ShouldBeNull();
    }

    private sealed class FixedCaller(ClaimsPrincipal caller) : ICallerAccessor
    {
        public ClaimsPrincipal? Caller => caller;
    }
}
