using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests the assignment of connections when there are fewer than users.</summary>
public sealed class ConnectionsTests
{
    [Fact]
    public async Task A_new_user_waits_while_all_connections_are_in_use()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend =
            await FakeBackend.StartAsync(context => context.Request.Path == "/slow" ? release.Task : Task.CompletedTask);
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        var slow = client.GetStringAsAsync("ada", "/slow");
        await backend.WaitForRequestsAsync(1);

        var waiting = client.GetStringAsAsync("bob");
        // The user ada has connections, so this request does not wait, although bob's request waits already.
        await client.GetStringAsAsync("ada", "/quick");
        waiting.IsCompleted.ShouldBeFalse();
        backend.Seen.ShouldAllBe(seen => seen.Ticket.User == "ada");

        release.SetResult();
        await slow;
        await waiting;
        backend.Seen.Last().Ticket.User.ShouldBe("bob");
    }

    [Fact]
    public async Task A_waiting_request_can_be_cancelled()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend =
            await FakeBackend.StartAsync(context => context.Request.Path == "/slow" ? release.Task : Task.CompletedTask);
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        var slow = client.GetStringAsAsync("ada", "/slow");
        await backend.WaitForRequestsAsync(1);

        using var cancellation = new CancellationTokenSource();
        var waiting = client.SendAsync(FakeDelegation.As("bob"), cancellation.Token);
        var next = client.GetStringAsAsync("eve");
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);

        release.SetResult();
        await slow;
        await next;
        backend.Seen.Select(seen => seen.Ticket.User).ShouldBe(["ada", "eve"]);
    }

    [Fact]
    public async Task All_waiting_requests_of_a_user_continue_together()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var bobs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = await FakeBackend.StartAsync(context => context.Request.Path.Value switch
        {
            "/slow" => release.Task,
            "/bob" => bobs.Task,
            _ => Task.CompletedTask,
        });
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        var slow = client.GetStringAsAsync("ada", "/slow");
        await backend.WaitForRequestsAsync(1);
        var waiting = new[] { client.GetStringAsAsync("bob", "/bob"), client.GetStringAsAsync("eve"),
            client.GetStringAsAsync("bob", "/bob") };

        release.SetResult();
        await slow;
        await backend.WaitForRequestsAsync(3);
        backend.Seen.Count(seen => seen.Ticket.User == "bob").ShouldBe(2);
        bobs.SetResult();
        await Task.WhenAll(waiting);
    }

    [Fact]
    public async Task A_response_that_is_being_read_keeps_its_connection()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = await FakeBackend.StartAsync(async context =>
        {
            await context.Response.WriteAsync("first ");
            await context.Response.Body.FlushAsync();
            if (context.Request.Path == "/slow")
                await release.Task;
            await context.Response.WriteAsync("second");
        });
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        using var response =
            await client.SendAsync(
            FakeDelegation.As("ada", "/slow"), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        var waiting = client.GetStringAsAsync("bob");
        waiting.IsCompleted.ShouldBeFalse();

        release.SetResult();
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("first second");
        (await waiting).ShouldBe("first second");
    }

    [Theory]
    [InlineData("/", "GET")]
    [InlineData("/empty", "GET")]
    [InlineData("/", "HEAD")]
    public async Task A_response_without_an_unread_body_ends_its_lease_without_being_disposed(string path, string method)
    {
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            if (context.Request.Path == "/empty")
                context.Response.StatusCode = 204;
            return context.Request.Path == "/empty" ? Task.CompletedTask : context.Response.WriteAsync("body");
        });
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        var response = await client.SendAsync(
            FakeDelegation.As("ada", path, new HttpMethod(method)), HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken);
        var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        await stream.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);

        await client.GetStringAsAsync("bob");
        backend.Seen.Select(seen => seen.Ticket.User).ShouldBe(["ada", "bob"]);
        response.Dispose();
    }

    [Fact]
    public async Task A_failed_request_ends_its_lease()
    {
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            if (context.Request.Path == "/abort")
                context.Abort();
            return Task.CompletedTask;
        });
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        await Should.ThrowAsync<HttpRequestException>(() => client.GetStringAsAsync("ada", "/abort"));
        await client.GetStringAsAsync("bob");
        backend.Seen.Last().Ticket.User.ShouldBe("bob");
    }

    [Fact]
    public async Task The_user_who_was_idle_longest_is_replaced_first()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 2);
        foreach (var user in (string[])["ada", "bob", "ada", "eve", "ada", "bob"])
            await client.GetStringAsAsync(user);

        var connections = backend.Seen.GroupBy(seen => seen.Ticket.User, seen => seen.Connection, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Distinct(StringComparer.Ordinal).Count(), StringComparer.Ordinal);
        connections.ShouldBe(
            new Dictionary<string, int>(StringComparer.Ordinal) { ["ada"] = 1, ["bob"] = 2, ["eve"] = 1 }, ignoreOrder: true);
    }

    [Fact]
    public async Task Under_load_connections_stay_with_their_users()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 3);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 400),
            new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = TestContext.Current.CancellationToken },
            async (number, _) => (await client.GetStringAsAsync($"user{number % 9}")).ShouldBe("hello"));

        backend.Seen.Count.ShouldBe(400);
        backend.Seen.GroupBy(seen => seen.Connection, StringComparer.Ordinal)
            .ShouldAllBe(requests => requests.Select(seen => seen.Ticket.User).Distinct().Count() == 1);
        backend.Seen.Select(seen => seen.Authorization).ShouldBeUnique();
    }
}

internal static class BackendExtensions
{
    public static async Task WaitForRequestsAsync(this FakeBackend backend, int count)
    {
        while (backend.Seen.Count < count)
            await Task.Delay(5, TestContext.Current.CancellationToken);
    }
}
