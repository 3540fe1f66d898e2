using System.Net;
using KcdDelegation.Diagnosis;
using KcdDelegation.Tests.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests that a refusal is recognized by what the backend says, whatever the status.</summary>
public sealed class RefusalStatusTests
{
    private const string Reject = "Negotiate oQcwBaADCgEC";
    private const string Completed = "Negotiate oQcwBaADCgEA";
    private static readonly string s_error = "Negotiate " + Convert.ToBase64String(Tokens.KrbError());
    private static readonly string s_framedError = "Negotiate " + Convert.ToBase64String(
        Tokens.NegTokenResp(null, Tokens.Kerberos, Tokens.KrbError()));

    public static TheoryData<int, string> Refusals
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var status in (int[])[401, 403, 404, 407, 500, 503])
            {
                foreach (var challenge in (string[])["Negotiate", "negotiate", "Kerberos", "Basic realm=\"a\", Negotiate", Reject, s_error,
                    s_framedError, "Negotiate " + Convert.ToBase64String(Tokens.NtlmMessage(2)), "Negotiate oQcwBaADCgEB",
                    "Negotiate !"])
                    data.Add(status, challenge);
            }
            foreach (var status in (int[])[200, 302])
            {
                foreach (var challenge in (string[])[Reject, s_error, s_framedError])
                    data.Add(status, challenge);
            }
            data.Add(401, "");
            data.Add(401, "Bearer");
            data.Add(401, Completed);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_has_its_cause_and_keeps_its_status(int status, string challenge)
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, status, challenge));
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(status);
        var refusal = response.GetKcdRefusal().ShouldNotBeNull();
        refusal.EventId.ShouldBe(KcdEventId.TicketRefused);
        refusal.Cause.ShouldContain($"answered {status} to the ticket");
        refusal.Cause.ShouldContain("encrypted with aes256-cts-hmac-sha1-96, key version 1");
        response.Headers.WwwAuthenticate.ToString().ShouldNotContain("Negotiate");
        var record = delegation.Log.Records.ShouldHaveSingleItem();
        (record.Id, record.Level).ShouldBe((KcdEventId.TicketRefused, LogLevel.Warning));
        record.Text.ShouldContain($"answered {status}");
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Tokens.Ntlm)]
    [InlineData(Tokens.Kerberos)]
    public async Task A_challenge_of_NTLM_is_recognized_by_its_token(string? supportedMechanism)
    {
        var token = Convert.ToBase64String(Tokens.NegTokenResp(1, supportedMechanism, Tokens.NtlmMessage(2)));
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, 401, "Negotiate " + token));
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.GetKcdRefusal().ShouldNotBeNull().Cause.ShouldContain("wants to continue with NTLM");
    }

    [Theory]
    [InlineData(200, "")]
    [InlineData(200, Completed)]
    [InlineData(200, "Negotiate")]
    [InlineData(302, "Negotiate")]
    [InlineData(403, Completed)]
    [InlineData(404, "")]
    [InlineData(404, "Bearer")]
    [InlineData(500, Completed)]
    [InlineData(502, "")]
    public async Task Another_answer_is_no_refusal(int status, string challenge)
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, status, challenge));
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(status);
        response.GetKcdRefusal().ShouldBeNull();
        response.GetKcdHint().ShouldBeNull();
        delegation.Log.Records.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(403, "AP-REP")]
    [InlineData(500, "AP-REP")]
    [InlineData(500, "AP-REP in SPNEGO")]
    [InlineData(403, "AP-REP in SPNEGO without a state")]
    public async Task An_error_page_with_the_backend_s_proof_is_no_refusal(int status, string proof)
    {
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            var reply = OpenedAuthorization.Open(context.Request.Headers.Authorization.ToString()).Reply();
            var token = proof == "AP-REP" ? reply
                : Tokens.NegTokenResp(proof.EndsWith("state", StringComparison.Ordinal) ? null : 0, Tokens.Kerberos, reply);
            return Answer(context, status, "Negotiate " + Convert.ToBase64String(token));
        });
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { MutualAuthentication = MutualAuthentication.Required };
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(status);
        response.GetKcdRefusal().ShouldBeNull();
    }

    [Theory]
    [InlineData(401, "Negotiate")]
    [InlineData(403, "Negotiate")]
    [InlineData(500, Reject)]
    [InlineData(403, Reject)]
    public async Task Where_a_proof_is_required_a_refusal_is_returned_with_its_status(int status, string challenge)
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, status, challenge));
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { MutualAuthentication = MutualAuthentication.Required };
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(status);
        response.GetKcdRefusal().ShouldNotBeNull().EventId.ShouldBe(KcdEventId.TicketRefused);
    }

    [Theory]
    [InlineData(200, "", "answered 200 and sent no proof (no AP-REP)")]
    [InlineData(200, "Negotiate", "answered 200 and sent a new challenge instead of a proof")]
    [InlineData(200, Reject, "answered 200 and rejected the ticket in SPNEGO")]
    [InlineData(403, "", "answered 403 and sent no proof (no AP-REP)")]
    [InlineData(404, "", "answered 404 and sent no proof (no AP-REP)")]
    [InlineData(502, "", "answered 502 and sent no proof (no AP-REP)")]
    public async Task A_missing_proof_is_reported_with_the_status(int status, string challenge, string text)
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, status, challenge));
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { MutualAuthentication = MutualAuthentication.Required };
        using var client = delegation.CreateClient();

        var error = await Should.ThrowAsync<KcdException>(
            () => client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken));

        error.EventId.ShouldBe(KcdEventId.BackendNotProven);
        error.Cause.ShouldContain(text);
        error.Cause.Contains("nginx", StringComparison.Ordinal).ShouldBe(status == 403);
    }

    [Theory]
    [InlineData(403, "Negotiate")]
    [InlineData(403, "Kerberos")]
    [InlineData(500, "Negotiate")]
    public async Task On_challenge_any_error_with_a_challenge_asks_for_the_ticket(int status, string challenge)
    {
        await using var backend = await FakeBackend.StartAsync(context =>
            context.Request.Headers.ContainsKey("Authorization") ? Task.CompletedTask : Answer(context, status, challenge));
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { Start = AuthenticationStart.OnChallenge };
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        backend.Seen.Select(seen => seen.Authorization is null).ShouldBe([true, false]);
    }

    [Theory]
    [InlineData(200, "Negotiate")]
    [InlineData(403, "")]
    [InlineData(403, "Bearer")]
    [InlineData(302, "Negotiate")]
    public async Task On_challenge_other_answers_are_returned(int status, string challenge)
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, status, challenge));
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { Start = AuthenticationStart.OnChallenge };
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(
            FakeDelegation.As("ada", content: new StringContent("body")), TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(status);
        response.GetKcdRefusal().ShouldBeNull();
        backend.Seen.Single().Authorization.ShouldBeNull();
    }

    [Fact]
    public async Task On_challenge_a_request_that_a_500_may_have_followed_is_not_sent_again()
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, 500, "Negotiate"));
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { Start = AuthenticationStart.OnChallenge };
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(
            FakeDelegation.As("ada", content: new StringContent("body")), TestContext.Current.CancellationToken);

        response.GetKcdRefusal().ShouldNotBeNull().Cause.ShouldContain("answered 500 to the request, which went without a ticket");
        backend.Seen.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(AuthenticationStart.OnChallenge)]
    [InlineData(AuthenticationStart.Preemptive)]
    public async Task The_caller_s_own_credentials_never_reach_the_backend(AuthenticationStart start)
    {
        await using var backend = await FakeBackend.StartAsync(context =>
            context.Request.Headers.Authorization.ToString().StartsWith("Negotiate", StringComparison.Ordinal)
                ? Task.CompletedTask
                : Answer(context, 401, "Negotiate"));
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { Start = start };
        using var client = delegation.CreateClient();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer of-the-client").ShouldBeTrue();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Proxy-Authorization", "Basic of-the-client").ShouldBeTrue();
        using var request = FakeDelegation.As("ada", content: new StringContent("body"));
        request.Headers.TryAddWithoutValidation("authorization", ["Bearer of-the-request", "Bearer second"]).ShouldBeTrue();
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        if (start == AuthenticationStart.OnChallenge)
            backend.Seen.First().Authorization.ShouldBeNull();
        backend.Seen.Last().Ticket.User.ShouldBe("ada");
        backend.Seen.ShouldAllBe(seen => !seen.Headers.ContainsKey("Proxy-Authorization")
            && !seen.Headers.Values.Any(value => value.Contains("Bearer", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_403_to_a_new_ticket_is_explained_once_an_hour()
    {
        var time = new FakeTimeProvider();
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, 403, ""));
        var delegation = new FakeDelegation(backend.Url) { Time = time };
        using var client = delegation.CreateClient();

        (await GetHintAsync("ada")).ShouldNotBeNull().Cause.ShouldContain("aes256-cts-hmac-sha1-96, key version 1");
        (await GetHintAsync("bob")).ShouldNotBeNull().EventId.ShouldBe(KcdEventId.TicketMayBeRefused);
        (await GetHintAsync("ada")).ShouldBeNull("the ticket is no longer new");
        Hints().ShouldBe(1);
        time.Advance(TimeSpan.FromMinutes(59));
        await GetHintAsync("cyd");
        Hints().ShouldBe(1);
        time.Advance(TimeSpan.FromMinutes(2));
        await GetHintAsync("dan");
        Hints().ShouldBe(2);
        var record = delegation.Log.Records.First(entry => entry.Id == KcdEventId.TicketMayBeRefused);
        record.Level.ShouldBe(LogLevel.Warning);
        record.Text.ShouldContain("app answered 403");
        record.Text.ShouldContain("nginx");

        int Hints() => delegation.Log.Records.Count(entry => entry.Id == KcdEventId.TicketMayBeRefused);

        async Task<KcdException?> GetHintAsync(string user)
        {
            using var response = await client.SendAsync(FakeDelegation.As(user), TestContext.Current.CancellationToken);
            response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            response.GetKcdRefusal().ShouldBeNull();
            return response.GetKcdHint();
        }
    }

    [Theory]
    [InlineData("Negotiate")]
    [InlineData(Reject)]
    [InlineData("NTLM")]
    [InlineData("")]
    [InlineData("Negotiate oQcwBaADCgEB")]
    public async Task Without_a_KRB_ERROR_the_remedy_names_the_key_that_the_backend_needs(string challenge)
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, 401, challenge));
        using var client = new FakeDelegation(backend.Url).CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        var remedy = response.GetKcdRefusal().ShouldNotBeNull().Remedy;
        remedy.ShouldContain("keytab has a key of HTTP/app.contoso.com with aes256-cts-hmac-sha1-96, key version 1");
        remedy.ShouldContain("RC4 keys only");
        remedy.ShouldContain("KB5073381");
    }

    private static Task Answer(HttpContext context, int status, string challenge)
    {
        context.Response.StatusCode = status;
        if (challenge.Length > 0)
            context.Response.Headers.WWWAuthenticate = challenge;
        return Task.CompletedTask;
    }
}
