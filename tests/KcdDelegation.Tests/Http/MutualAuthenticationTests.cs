using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Tests.Headers;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Tests.Http;

public sealed class MutualAuthenticationTests
{
    [Theory]
    [InlineData(MutualAuthentication.Required, "raw")]
    [InlineData(MutualAuthentication.Required, "spnego")]
    [InlineData(MutualAuthentication.Required, "spnego without a state")]
    [InlineData(MutualAuthentication.Optional, "raw")]
    [InlineData(MutualAuthentication.Optional, "none")]
    [InlineData(MutualAuthentication.Optional, "completed")]
    [InlineData(MutualAuthentication.Off, "none")]
    [InlineData(MutualAuthentication.Off, "of another")]
    [InlineData(MutualAuthentication.Off, "garbage")]
    public async Task A_response_is_passed_on(MutualAuthentication mutual, string reply)
    {
        await using var backend = await FakeBackend.StartAsync(AnswerWith(reply));
        using var client = Client(backend, mutual);
        (await client.GetStringAsAsync("ada")).ShouldBe("content");
        backend.Seen.Single().Ticket.AsksForMutualAuthentication.ShouldBe(mutual != MutualAuthentication.Off);
    }

    [Theory]
    [InlineData(MutualAuthentication.Required, "none")]
    [InlineData(MutualAuthentication.Required, "completed")]
    [InlineData(MutualAuthentication.Required, "of another")]
    [InlineData(MutualAuthentication.Required, "rejected")]
    [InlineData(MutualAuthentication.Required, "incomplete")]
    [InlineData(MutualAuthentication.Required, "request-mic")]
    [InlineData(MutualAuthentication.Required, "error")]
    [InlineData(MutualAuthentication.Required, "ntlm")]
    [InlineData(MutualAuthentication.Required, "garbage")]
    [InlineData(MutualAuthentication.Optional, "of another")]
    [InlineData(MutualAuthentication.Optional, "rejected")]
    [InlineData(MutualAuthentication.Optional, "error")]
    [InlineData(MutualAuthentication.Optional, "garbage")]
    public async Task A_response_without_a_correct_proof_is_dropped(MutualAuthentication mutual, string reply)
    {
        await using var backend = await FakeBackend.StartAsync(AnswerWith(reply));
        using var client = Client(backend, mutual);
        var error = await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("ada"));
        (error.Stage, error.EventId, error.IsTransient).ShouldBe((KcdStage.Target, KcdEventId.BackendNotProven, false));
    }

    [Fact]
    public async Task Where_a_proof_is_required_a_response_without_a_challenge_is_refused()
    {
        await using var backend = await FakeBackend.StartAsync();
        using var client = Client(backend, MutualAuthentication.Required, AuthenticationStart.OnChallenge);
        (await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("ada"))).EventId.ShouldBe(KcdEventId.BackendNotProven);
    }

    [Fact]
    public async Task A_KRB_ERROR_in_the_401_determines_the_reported_cause()
    {
        await using var backend = await FakeBackend.StartAsync(context =>
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Negotiate " + Convert.ToBase64String(Error());
            return Task.CompletedTask;
        });
        using var client = Client(backend, MutualAuthentication.Off);
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);
        response.GetKcdRefusal().ShouldNotBeNull().Cause.ShouldContain("KRB_AP_ERR_MODIFIED");
    }

    private static HttpClient Client(
        FakeBackend backend, MutualAuthentication mutual, AuthenticationStart start = AuthenticationStart.Preemptive)
    {
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { MutualAuthentication = mutual, Start = start };
        return delegation.CreateClient();
    }

    private static RequestDelegate AnswerWith(string reply)
    {
        OpenedAuthorization? first = null;
        return context =>
        {
            var opened = OpenedAuthorization.Open(context.Request.Headers.Authorization.ToString());
            first ??= OpenedAuthorization.Open(
                new DelegatedCredential(
                FakeTickets.For("ada"), new KcdDelegation.Headers.AuthorizationTemplateCache(), MutualAuthentication.Required)
                .CreateAuthorization(TokenFormat.Kerberos).ToString());
            byte[]? token = reply switch
            {
                "raw" => opened.Reply(),
                "spnego" => Tokens.NegTokenResp(0, Tokens.Kerberos, opened.Reply()),
                "spnego without a state" => Tokens.NegTokenResp(null, null, opened.Reply()),
                "none" => null,
                "completed" => Tokens.NegTokenResp(0),
                "of another" => first.Reply(),
                "rejected" => Tokens.NegTokenResp(2, Tokens.Kerberos, opened.Reply()),
                "incomplete" => Tokens.NegTokenResp(1, Tokens.Kerberos),
                "request-mic" => Tokens.NegTokenResp(3, Tokens.Kerberos, opened.Reply()),
                "error" => Error(),
                "ntlm" => Tokens.NtlmMessage(2),
                _ => [1, 2, 3],
            };
            if (token is not null)
                context.Response.Headers.WWWAuthenticate = "Negotiate " + Convert.ToBase64String(token);
            return context.Response.WriteAsync("content");
        };
    }

    private static byte[] Error() => GssKerberosToken.Wrap(GssKerberosToken.ErrorToken, new KrbError
    {
        ServerTime = TimeProvider.System.GetUtcNow(),
        Code = KerberosErrorCode.Modified,
        Realm = "CONTOSO.COM",
        Service = PrincipalName.From(FakeTickets.Service),
    }.Encode());
}
