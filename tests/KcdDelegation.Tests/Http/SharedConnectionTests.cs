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

    private static FakeDelegation Sharing(FakeBackend backend)
    {
        var delegation = new FakeDelegation(backend.Url);
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
