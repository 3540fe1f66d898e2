using KcdDelegation.Diagnosis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests an application that shares connections between users with a backend that ties them to one user.</summary>
public sealed class SharedConnectionTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("false")]
    [InlineData(" False ")]
    public async Task Users_share_a_connection_that_the_backend_does_not_tie(string? persistentAuth)
    {
        await using var backend = await FakeBackend.StartAsync(Answer(persistentAuth));
        var delegation = Sharing(backend);
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        await client.GetStringAsAsync("bob");

        backend.Seen.Select(seen => seen.Connection).Distinct().ShouldHaveSingleItem();
        delegation.Log.Records.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("true")]
    [InlineData("True")]
    [InlineData("yes")]
    public async Task A_connection_that_the_backend_ties_to_its_user_serves_no_other_user(string persistentAuth)
    {
        await using var backend = await FakeBackend.StartAsync(Answer(persistentAuth));
        var delegation = Sharing(backend);
        using var client = delegation.CreateClient();
        foreach (var user in (string[])["ada", "bob", "ada", "bob"])
            await client.GetStringAsAsync(user);

        UsersByConnection(backend).ShouldAllBe(users => users == 1);
        var record = delegation.Log.Records.ShouldHaveSingleItem();
        (record.Category, record.Id, record.Level).ShouldBe(("KcdDelegation", KcdEventId.SharingEnded, LogLevel.Error));
    }

    [Fact]
    public async Task A_request_that_waits_for_a_tied_connection_uses_another()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = Answer("true");
        await using var backend = await FakeBackend.StartAsync(async context =>
        {
            if (context.Request.Path == "/slow")
                await release.Task;
            await answer(context);
        });
        var delegation = Sharing(backend);
        using var client = delegation.CreateClient(() => new SocketsHttpHandler { MaxConnectionsPerServer = 1 });
        var ada = client.GetStringAsAsync("ada", "/slow");
        await backend.WaitForRequestsAsync(1);
        var others = new[] { client.GetStringAsAsync("bob"), client.GetStringAsAsync("eve"), client.GetStringAsAsync("bob") };
        release.SetResult();
        await ada;
        await Task.WhenAll(others);

        backend.Seen.Count.ShouldBe(4);
        UsersByConnection(backend).ShouldAllBe(users => users == 1);
        backend.Seen.Select(seen => seen.Authorization).ShouldBeUnique();
        delegation.Log.Records.ShouldHaveSingleItem().Id.ShouldBe(KcdEventId.SharingEnded);
    }

    [Theory]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")]
    [InlineData("HEAD", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")]
    [InlineData("HEAD", "HTTP/1.1 404 Not Found\nServer: one\n\n")]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\nServer: one\r\n\r\n")]
    [InlineData("DELETE", "HTTP/1.1 204 No Content\r\n\r\n")]
    [InlineData("GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")]
    public async Task Bytes_behind_a_response_without_a_body_do_not_reach_the_next_user(string method, string head)
    {
        await using var backend = new RawBackend(async request =>
        {
            if (request.User == "bob")
            {
                await Task.Delay(100, request.CancellationToken);
                await request.WriteUserAsync();
                return;
            }
            await request.WriteAsync(head);
            // These bytes arrive after the next request has been written.
            await Task.Delay(50, request.CancellationToken);
            await request.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nada's secret");
        });
        using var client = Sharing(backend.Url).CreateClient();
        for (var round = 0; round < 5; round++)
        {
            using var response = await client.SendAsync(
                FakeDelegation.As("ada", method: new HttpMethod(method)), TestContext.Current.CancellationToken);
            (await client.GetStringAsAsync("bob")).ShouldBe("bob");
        }
    }

    [Fact]
    public async Task A_shared_connection_is_kept_after_a_response_with_a_body()
    {
        await using var backend = new RawBackend(async request =>
        {
            await request.WriteAsync("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
            await request.WriteUserAsync();
        });
        using var client = Sharing(backend.Url).CreateClient();
        foreach (var user in (string[])["ada", "bob", "eve"])
            (await client.GetStringAsAsync(user)).ShouldBe(user);
        backend.Seen.Select(seen => seen.Connection).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_request_whose_line_is_long_ends_a_shared_connection_too()
    {
        await using var backend = new RawBackend(request => request.Method == "HEAD"
            ? request.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n").AsTask()
            : request.WriteUserAsync().AsTask());
        using var client = Sharing(backend.Url).CreateClient();
        var path = "/" + new string('a', 20_000);
        using (await client.SendAsync(FakeDelegation.As("ada", path, HttpMethod.Head), TestContext.Current.CancellationToken))
            await client.GetStringAsAsync("bob");
        backend.Seen.Select(seen => seen.Connection).ShouldBe([0, 1]);
    }

    [Fact]
    public async Task Shared_connections_are_limited_by_the_number_of_users()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend =
            await FakeBackend.StartAsync(context => context.Request.Path == "/slow" ? release.Task : Task.CompletedTask);
        var delegation = Sharing(backend.Url);
        delegation.Limit(limits => limits with { MaxUsers = 2, MaxConnectionsPerUser = 1, MaxWait = TimeSpan.FromMilliseconds(100) });
        using var client = delegation.CreateClient();
        var slow = new[] { client.GetStringAsAsync("ada", "/slow"), client.GetStringAsAsync("bob", "/slow") };
        await backend.WaitForRequestsAsync(2);
        var error = await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("eve"));
        error.EventId.ShouldBe(KcdEventId.ConnectionLimitReached);
        release.SetResult();
        await Task.WhenAll(slow);
    }

    private static FakeDelegation Sharing(FakeBackend backend) => Sharing(backend.Url);

    private static FakeDelegation Sharing(Uri url)
    {
        var delegation = new FakeDelegation(url);
        delegation.Application = delegation.Application with { ShareConnectionsBetweenUsers = true };
        return delegation;
    }

    private static RequestDelegate Answer(string? persistentAuth) => context =>
    {
        if (persistentAuth is not null)
            context.Response.Headers["Persistent-Auth"] = persistentAuth;
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    };

    private static IEnumerable<int> UsersByConnection(FakeBackend backend) => backend.Seen
        .GroupBy(seen => seen.Connection, seen => seen.Ticket.User, StringComparer.Ordinal)
        .Select(users => users.Distinct(StringComparer.Ordinal).Count());
}
