using System.Net;
using KcdDelegation.Diagnosis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

/// <summary>Every refusal stands in the audit once, under its own number, with application and caller.</summary>
public sealed class RefusalLogTests
{
    [Theory]
    [InlineData("mallory", "/", "GET", KcdEventId.NoIdentity, LogLevel.Warning)]
    [InlineData("ada", "http://elsewhere.example/", "GET", KcdEventId.TargetRefused, LogLevel.Error)]
    [InlineData("ada", "/", "TRACE", KcdEventId.RequestRefused, LogLevel.Error)]
    [InlineData("ada", "/", "GET", KcdEventId.BackendNotProven, LogLevel.Error)]
    [InlineData("", "/", "GET", KcdEventId.CallerMissing, LogLevel.Warning)]
    public async Task A_refusal_is_logged_once(string user, string address, string method, int number, LogLevel level)
    {
        await using var backend = await FakeBackend.StartAsync();
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { MutualAuthentication = MutualAuthentication.Required };
        using var client = delegation.CreateClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), address);
        if (user.Length > 0)
            request.SetCaller(FakeDelegation.Caller(user));

        var error = await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));
        error.EventId.ShouldBe(number);
        var record = delegation.Log.Records.ShouldHaveSingleItem();
        (record.Category, record.Id, record.Level).ShouldBe(("KcdDelegation.Audit", number, level));
        record.Text.ShouldBe($"{(user.Length == 0 ? "Nobody" : "A caller without id")} is not delegated to app: {error.Message}");
    }

    [Fact]
    public async Task A_401_without_a_ticket_is_not_logged_as_a_ticket_refused()
    {
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            context.Response.StatusCode = (int)HttpStatusCode.Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return Task.CompletedTask;
        });
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { Start = AuthenticationStart.OnChallenge };
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        var record = delegation.Log.Records.ShouldHaveSingleItem();
        (record.Category, record.Id, record.Level).ShouldBe(("KcdDelegation", KcdEventId.TicketRefused, LogLevel.Warning));
        record.Text.ShouldContain("without a ticket: it offers Bearer");
    }
}
