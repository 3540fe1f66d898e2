using System.Net;
using KcdDelegation.Diagnosis;
using KcdDelegation.Tests.Headers;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests the start on challenge, the learning of the token format, and repeated requests.</summary>
public sealed class AuthenticationStartTests
{
    [Fact]
    public async Task On_challenge_the_first_request_has_no_ticket()
    {
        await using var backend = await FakeBackend.StartAsync(AskFor("Negotiate"));
        using var client = Client(backend, AuthenticationStart.OnChallenge, TokenFormat.Spnego);
        using var response =
            await client.SendAsync(FakeDelegation.As("ada", content: new StringContent("body")), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        backend.Seen.Select(seen => (seen.Authorization is null, seen.Body)).ShouldBe([(true, "body"), (false, "body")]);
        backend.Seen.Last().Ticket.Kind.ShouldBe(NegotiateTokenKind.SpnegoKerberos);
    }

    [Fact]
    public async Task Both_requests_of_a_start_on_challenge_use_one_connection()
    {
        await using var backend = await FakeBackend.StartAsync(AskFor("Negotiate"));
        var delegation = Delegation(backend, AuthenticationStart.OnChallenge, TokenFormat.Spnego);
        // A second lease would wait for the first one.
        delegation.Limit(limits => limits with { MaxConnectionsPerUser = 1, MaxWait = TimeSpan.FromMilliseconds(200) });
        using var client = delegation.CreateClient();

        for (var call = 0; call < 3; call++)
            await client.GetStringAsAsync("ada");
        backend.Seen.Count(seen => seen.Authorization is not null).ShouldBe(3);
    }

    [Fact]
    public async Task A_backend_without_a_challenge_gets_no_ticket()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = Client(backend, AuthenticationStart.OnChallenge, TokenFormat.Spnego);
        await client.GetStringAsAsync("ada");
        backend.Seen.Single().Authorization.ShouldBeNull();
    }

    [Theory]
    [InlineData("NTLM")]
    [InlineData("Basic realm=\"app\", Bearer")]
    public async Task A_backend_with_another_challenge_gets_no_ticket(string challenge)
    {
        await using var backend = await FakeBackend.StartAsync(AskFor(challenge));
        using var client = Client(backend, AuthenticationStart.OnChallenge, TokenFormat.Auto);
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var cause = response.GetKcdRefusal().ShouldNotBeNull().Cause;
        cause.ShouldContain("without a ticket");
        cause.ShouldContain("neither Negotiate nor Kerberos");
        backend.Seen.Single().Authorization.ShouldBeNull();
    }

    [Theory]
    [InlineData(64 * 1024, 2)]
    [InlineData((64 * 1024) + 1, 1)]
    public async Task A_body_too_large_to_buffer_is_sent_with_a_ticket_at_once(int length, int requests)
    {
        await using var backend = await FakeBackend.StartAsync(AskFor("Negotiate"));
        using var client = Client(backend, AuthenticationStart.OnChallenge, TokenFormat.Kerberos);
        using var content = new StreamContent(new MemoryStream(new byte[length]));
        using var response = await client.SendAsync(FakeDelegation.As("ada", content: content), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        backend.Seen.Count.ShouldBe(requests);
        backend.Seen.Last().Body.Length.ShouldBe(length);
    }

    [Theory]
    [InlineData("POST", 1)]
    [InlineData("PATCH", 1)]
    [InlineData("GET", 2)]
    [InlineData("DELETE", 2)]
    public async Task A_request_that_may_be_carried_out_once_only_is_sent_with_a_ticket_at_once(string method, int requests)
    {
        await using var backend = await FakeBackend.StartAsync(AskFor("Negotiate"));
        using var client = Client(backend, AuthenticationStart.OnChallenge, TokenFormat.Kerberos);
        using var request = FakeDelegation.As("ada");
        request.Method = new HttpMethod(method);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        backend.Seen.Count.ShouldBe(requests);
        backend.Seen.Last().Authorization.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_sent_with_a_ticket_at_once()
    {
        await using var backend = await FakeBackend.StartAsync(AskFor("Negotiate"));
        using var client = Client(backend, AuthenticationStart.OnChallenge, TokenFormat.Kerberos);
        using var content = new OnceOnlyContent();
        using var response = await client.SendAsync(FakeDelegation.As("ada", content: content), TestContext.Current.CancellationToken);
        backend.Seen.Single().Body.ShouldBe("body");
    }

    [Fact]
    public async Task Auto_tries_the_other_format_after_a_401_and_remembers_it()
    {
        await using var backend = await FakeBackend.StartAsync(TakeOnly(NegotiateTokenKind.SpnegoKerberos));
        using var client = Client(backend, AuthenticationStart.Preemptive, TokenFormat.Auto);
        using var response =
            await client.SendAsync(FakeDelegation.As("ada", content: new StringContent("body")), TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.GetKcdRefusal().ShouldBeNull();
        await client.GetStringAsAsync("bob");

        backend.Seen.Select(seen => (seen.Ticket.User, seen.Ticket.Kind, seen.Body)).ShouldBe(
        [
            ("ada", NegotiateTokenKind.Kerberos, "body"),
            ("ada", NegotiateTokenKind.SpnegoKerberos, "body"),
            ("bob", NegotiateTokenKind.SpnegoKerberos, ""),
        ]);
        backend.Seen.Select(seen => seen.Authorization).ShouldBeUnique();
    }

    [Fact]
    public async Task Auto_keeps_the_raw_format_if_it_is_accepted()
    {
        await using var backend = await FakeBackend.StartAsync(TakeOnly(NegotiateTokenKind.Kerberos));
        using var client = Client(backend, AuthenticationStart.Preemptive, TokenFormat.Auto);
        await client.GetStringAsAsync("ada");
        await client.GetStringAsAsync("bob");
        backend.Seen.ShouldAllBe(seen => seen.Ticket.Kind == NegotiateTokenKind.Kerberos);
        backend.Seen.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Auto_gives_up_after_the_second_refusal()
    {
        await using var backend = await FakeBackend.StartAsync(context => Deny(context, "Negotiate"));
        using var client = Client(backend, AuthenticationStart.Preemptive, TokenFormat.Auto);
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);
        response.GetKcdRefusal().ShouldNotBeNull().EventId.ShouldBe(KcdEventId.TicketRefused);
        backend.Seen.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(NegotiateTokenKind.Kerberos)]
    [InlineData(NegotiateTokenKind.SpnegoKerberos)]
    public async Task Auto_does_not_change_the_format_because_of_one_user_s_refusals(NegotiateTokenKind kind)
    {
        var takeKind = TakeOnly(kind);
        await using var backend = await FakeBackend.StartAsync(context =>
            OpenedAuthorization.Open(context.Request.Headers.Authorization.ToString()).User == "eve"
                ? Deny(context, "Negotiate")
                : takeKind(context));
        using var client = Client(backend, AuthenticationStart.Preemptive, TokenFormat.Auto);
        if (kind == NegotiateTokenKind.SpnegoKerberos)
            await client.GetStringAsAsync("ada");
        for (var round = 0; round < 5; round++)
        {
            (await SendOnceAsync(client, "eve")).ShouldBe(HttpStatusCode.Unauthorized);
            using (var refused = await client.SendAsync(FakeDelegation.As("eve"), TestContext.Current.CancellationToken))
                refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            (await SendOnceAsync(client, "ada")).ShouldBe(HttpStatusCode.OK);
        }
    }

    [Theory]
    [InlineData(200, "")]
    [InlineData(400, "")]
    [InlineData(403, "")]
    [InlineData(431, "")]
    [InlineData(502, "Negotiate oQcwBaADCgEA")]
    [InlineData(503, "")]
    public async Task Auto_ignores_responses_that_do_not_depend_on_the_ticket(int status, string challenge)
    {
        var spnegoOnly = TakeOnly(NegotiateTokenKind.SpnegoKerberos);
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            if (context.Request.Path != "/other")
                return spnegoOnly(context);
            context.Response.StatusCode = status;
            if (challenge.Length > 0)
                context.Response.Headers.WWWAuthenticate = challenge;
            return Task.CompletedTask;
        });
        var delegation = Delegation(backend, AuthenticationStart.Preemptive, TokenFormat.Auto);
        using var client = delegation.CreateClient();
        using (await client.SendAsync(FakeDelegation.As("ada", "/other"), TestContext.Current.CancellationToken))
            delegation.Log.Records.ShouldNotContain(record => record.Id == KcdEventId.FormatLearnt);

        (await SendOnceAsync(client, "ada")).ShouldBe(HttpStatusCode.Unauthorized, "the first format is still tried");
        await client.GetStringAsAsync("ada");
        (await SendOnceAsync(client, "ada")).ShouldBe(HttpStatusCode.OK, "the other format was proved");
    }

    [Fact]
    public async Task Auto_accepts_the_backend_s_statement_that_it_read_the_token()
    {
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            context.Response.Headers.WWWAuthenticate = "Negotiate oQcwBaADCgEA";
            return Task.CompletedTask;
        });
        var delegation = Delegation(backend, AuthenticationStart.Preemptive, TokenFormat.Auto);
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        await client.GetStringAsAsync("ada");
        delegation.Log.Records.ShouldHaveSingleItem().Id.ShouldBe(KcdEventId.FormatLearnt);
    }

    [Fact]
    public async Task Auto_learns_again_when_the_backend_accepts_the_other_format_only()
    {
        var taken = NegotiateTokenKind.SpnegoKerberos;
        await using var backend = await FakeBackend.StartAsync(context => TakeOnly(taken)(context));
        var delegation = Delegation(backend, AuthenticationStart.Preemptive, TokenFormat.Auto);
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        delegation.Log.Records.Count(record => record.Id == KcdEventId.FormatLearnt).ShouldBe(1);

        taken = NegotiateTokenKind.Kerberos;
        (await SendOnceAsync(client, "ada")).ShouldBe(HttpStatusCode.Unauthorized);
        (await SendOnceAsync(client, "bob")).ShouldBe(HttpStatusCode.Unauthorized);
        await client.GetStringAsAsync("ada");
        delegation.Log.Records.Count(record => record.Id == KcdEventId.FormatLearnt).ShouldBe(2);
        (await SendOnceAsync(client, "bob")).ShouldBe(HttpStatusCode.OK);
    }

    private static async Task<HttpStatusCode> SendOnceAsync(HttpClient client, string user)
    {
        using var response =
            await client.SendAsync(FakeDelegation.As(user, content: new OnceOnlyContent()), TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    private static HttpClient Client(FakeBackend backend, AuthenticationStart start, TokenFormat format) =>
        Delegation(backend, start, format).CreateClient();

    private static FakeDelegation Delegation(FakeBackend backend, AuthenticationStart start, TokenFormat format)
    {
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { Start = start, TokenFormat = format };
        return delegation;
    }

    private static RequestDelegate AskFor(string challenge) => context =>
        context.Request.Headers.ContainsKey("Authorization") ? Task.CompletedTask : Deny(context, challenge);

    private static RequestDelegate TakeOnly(NegotiateTokenKind kind) => context =>
        NegotiateToken.TryParse(context.Request.Headers.Authorization.ToString(), out var token) && token.Kind == kind
            ? Task.CompletedTask
            : Deny(context, "Negotiate");

    private static Task Deny(HttpContext context, string challenge)
    {
        context.Response.StatusCode = 401;
        context.Response.Headers.WWWAuthenticate = challenge;
        return context.Response.WriteAsync("denied");
    }
}
