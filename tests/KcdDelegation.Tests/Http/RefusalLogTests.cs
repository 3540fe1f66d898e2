using System.Net;
using System.Security.Claims;
using KcdDelegation.Diagnosis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests that the audit log has each refusal once, under its own number, with application and caller.</summary>
public sealed class RefusalLogTests
{
    [Theory]
    [InlineData("mallory", "/", "GET", KcdEventId.NoIdentity, LogLevel.Warning)]
    [InlineData("ada", "http://elsewhere.example/", "GET", KcdEventId.TargetRefused, LogLevel.Warning)]
    [InlineData("ada", "/", "TRACE", KcdEventId.RequestRefused, LogLevel.Warning)]
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
        record.Text.ShouldBe($"Delegation to app refused: {char.ToLowerInvariant(error.Message[0])}{error.Message[1..]}");
        record.Field("Application").ShouldBe("app");
        record.Field("Event").ShouldBe(number);
        record.Field("Stage").ShouldBe(error.Stage);
        record.Field("Kind").ShouldBe(error.Kind);
        record.Field("StatusCode").ShouldBe((int)error.StatusCode);
        record.Field("Cause").ShouldBe(error.Cause);
        record.Field("Remedy").ShouldBe(error.Remedy);
    }

    [Theory]
    [InlineData(KcdErrorKind.Configuration, LogLevel.Error)]
    [InlineData(KcdErrorKind.UserNotPermitted, LogLevel.Warning)]
    [InlineData(KcdErrorKind.BadRequest, LogLevel.Warning)]
    [InlineData(KcdErrorKind.Unavailable, LogLevel.Warning)]
    [InlineData(KcdErrorKind.NotAuthenticated, LogLevel.Warning)]
    public void Only_what_the_operator_must_correct_is_logged_as_an_error(KcdErrorKind kind, LogLevel level) =>
        Log.GetLevel(kind).ShouldBe(level);

    [Fact]
    public async Task The_message_for_a_request_without_a_caller_names_the_cause()
    {
        await using var backend = await FakeBackend.StartAsync();
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");

        await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));

        delegation.Log.Records.ShouldHaveSingleItem().Text.ShouldStartWith(
            "Delegation to app refused: the request has no authenticated caller. Nothing was sent. Remedy: Set the caller with "
                + "request.SetCaller(principal)");
    }

    [Fact]
    public async Task A_refusal_names_the_caller_by_the_identifier_of_the_issuer()
    {
        await using var backend = await FakeBackend.StartAsync();
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://elsewhere.example/");
        request.SetCaller(new ClaimsPrincipal(new ClaimsIdentity([new Claim("oid", "2f1e")], "test")));

        await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));

        delegation.Log.Records.ShouldHaveSingleItem().Text.ShouldStartWith("Delegation to app refused for the caller 2f1e: ");
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

    [Fact]
    public async Task A_refusal_of_the_backend_is_counted_by_its_status()
    {
        var statuses = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "kcd.backend.refusals")
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            statuses.Enqueue($"{value} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}"));
        listener.Start();
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            context.Response.StatusCode = (int)HttpStatusCode.Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Negotiate";
            return Task.CompletedTask;
        });
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        statuses.ShouldContain("1 kcd.event=13022 http.response.status_code=401");
    }
}
