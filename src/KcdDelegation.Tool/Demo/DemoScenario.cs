using System.Globalization;
using System.Net;
using System.Security.Claims;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Output;

namespace KcdDelegation.Tool.Demo;

/// <summary>The scenario of the demo: one request through its five stages, then a user who must not be delegated.</summary>
/// <remarks>Each stage is shown as it happens, and its result is checked.</remarks>
internal sealed class DemoScenario(DemoEnvironment environment, DemoOutput output, TimeProvider time)
{
    private const int ShownCharacters = 38;

    private readonly List<DemoCheck> _checks = [];

    public async Task<DemoResult> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            WriteIntroduction();
            var ada = await ValidateTokenAsync(cancellationToken);
            var identity = await MapIdentityAsync(ada, cancellationToken);
            var credential = await GetTicketAsync(ada, identity, cancellationToken);
            CreateHeaders(credential);
            await SendRequestsAsync(ada, identity, cancellationToken);
            await SendRefusedRequestAsync(cancellationToken);
        }
        catch (CheckFailedException)
        {
            // The failed check is the last one of the list, and it has been written to the output.
        }
        return new DemoResult { Checks = _checks };
    }

    private void WriteIntroduction()
    {
        output.WriteTitle(
            "One delegated request, step by step",
            "Ada has signed in to a cloud identity provider and opens the intranet, which accepts Kerberos only. A gateway between them "
                + "gets a "
            + "Kerberos ticket in Ada's name. All servers run in this process on loopback, and stop when the demo ends.");
        output.WriteParagraph("1 token  >  2 identity  >  3 ticket  >  4 header  >  5 HTTP");
        output.WriteFacts(
            ("issuer", new Uri(environment.Issuer.Authority).GetLeftPart(UriPartial.Authority), "signs tokens, like Microsoft Entra ID"),
            ("KDC", environment.Realm.Endpoint.ToString(), $"of the realm {environment.Realm.Name}, like a domain controller"),
            ("backend", environment.Backend.Url.ToString(), $"{DemoEnvironment.Service}, accepts Kerberos only"),
            ("gateway", DemoEnvironment.GatewayAccount, "uses this library; is allowed to delegate to this backend only"));
    }

    private async Task<ClaimsPrincipal> ValidateTokenAsync(CancellationToken cancellationToken)
    {
        output.WriteStage(1, "Token", "Ada's request arrives with an access token. The gateway accepts tokens of one issuer and one "
            + "tenant for one "
            + "audience, and checks the signature with the key that the issuer publishes.");
        var token = environment.SignIn("ada.lovelace@contoso.test", "ada");
        var caller = await environment.Delegation.ValidateTokenAsync(token, cancellationToken);
        output.WriteFacts(
            ("token", Shorten(token), Invariant($"{token.Length} characters")),
            ("tid", GetClaim(caller, "tid"), "the tenant"),
            ("aud", GetClaim(caller, "aud"), "the audience: the gateway"),
            ("upn", GetClaim(caller, "upn"), "the user's name in the cloud"),
            (DemoEnvironment.IdentityClaim, GetClaim(caller, DemoEnvironment.IdentityClaim), "the user's account on premises"));
        Check(caller.Identity?.IsAuthenticated == true, "The token is valid: signature, issuer, tenant, audience and time.");
        return caller;
    }

    private async Task<KerberosPrincipal> MapIdentityAsync(ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        output.WriteStage(2, "Identity", "The directory does not know the name that the user has in the cloud. The setting LoginIdentity "
            + "selects the "
            + "claim to use, here OnPremisesSamAccountName. The claim must have exactly one value; a name is never guessed.");
        var identity = await environment.Delegation.MapAsync(DemoEnvironment.Application, caller, cancellationToken);
        output.WriteFacts(
            ("claim", $"{DemoEnvironment.IdentityClaim} = {GetClaim(caller, DemoEnvironment.IdentityClaim)}", ""),
            ("principal", identity.ToString(), $"the name in the request to the KDC (NT-{identity.Type.ToString().ToUpperInvariant()})"));
        Check(identity.ToString() == $"ada@{environment.Realm.Name}", "The user of the token is mapped to an account of the realm.");
        return identity;
    }

    private async Task<DelegatedCredential> GetTicketAsync(
        ClaimsPrincipal caller, KerberosPrincipal identity, CancellationToken cancellationToken)
    {
        output.WriteStage(3, "Ticket", "The gateway makes three exchanges with the KDC: its own log-on, then two requests in Ada's name. "
            + "Each result "
            + "is cached. Ada's password is not used.");
        var credential = await environment.Delegation.GetCredentialAsync(DemoEnvironment.Application, caller, cancellationToken);
        output.WriteExchanges(environment.Realm.Transcript.Select(ExplainedExchange.FromRecord));
        var ticket = credential.Ticket;
        output.WriteFacts(
            ("user", ticket.User.ToString(), "the user that the backend sees"),
            ("service", ticket.Service.ToString(), "the only service that can decrypt the ticket"),
            ("encryption", TicketNames.Format(ticket.TicketEncryptionType), Invariant($"{ticket.Size} bytes")),
            ("flags", string.Join(", ", TicketNames.Format(ticket.Flags)), ""),
            ("valid until", Invariant($"{ticket.EndTime:HH:mm:ss} UTC"),
                Invariant($"{(ticket.EndTime - time.GetUtcNow()).TotalHours:0.#} hours")));
        Check(ticket.User == identity, "The ticket names Ada.");
        Check(
            environment.Realm.Transcript.Count(line => line.StartsWith("PROXY", StringComparison.Ordinal)) == 1,
            "The KDC issued exactly one delegated ticket.");
        return credential;
    }

    private void CreateHeaders(DelegatedCredential credential)
    {
        output.WriteStage(4, "Header", "A ticket is reused, a header value is not: servers refuse a value that they have seen (replay). "
            + "Each value "
            + "contains a new authenticator, encrypted with the session key. Two formats are in use; the base64 of both begins with YII.");
        var raw = credential.CreateAuthorization(TokenFormat.Kerberos).ToString();
        var spnego = credential.CreateAuthorization(TokenFormat.Spnego).ToString();
        var next = credential.CreateAuthorization(TokenFormat.Spnego).ToString();
        output.WriteFacts(
            ("raw Kerberos", Shorten(raw), Invariant($"{raw.Length} characters")),
            ("SPNEGO", Shorten(spnego), Invariant($"{spnego.Length} characters; used here")));
        Check(
            GetKind(raw) == NegotiateTokenKind.Kerberos && GetKind(spnego) == NegotiateTokenKind.SpnegoKerberos,
            "The object identifiers distinguish the two formats.");
        Check(spnego != next && spnego.Length == next.Length, "The next value differs and has the same length.");
    }

    private async Task SendRequestsAsync(ClaimsPrincipal caller, KerberosPrincipal identity, CancellationToken cancellationToken)
    {
        output.WriteStage(5, "HTTP", "The backend refuses requests without authentication. The handler sends Ada's request with a header "
            + "value that is "
            + "bound to this TLS connection (channel binding), and requires the backend to prove its identity (mutual authentication).");
        using var anonymous = await environment.AnonymousClient.GetAsync(new Uri("", UriKind.Relative), cancellationToken);
        var exchangesBefore = environment.Realm.Transcript.Count;
        using var response = await GetAsync(caller, cancellationToken);
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        output.WriteFacts(
            ("anonymous", FormatStatus(anonymous), $"WWW-Authenticate: {anonymous.Headers.WwwAuthenticate}"),
            ("as Ada", FormatStatus(response), body));
        Check(anonymous.StatusCode == HttpStatusCode.Unauthorized, "Without a ticket, the backend responds with 401.");
        Check(
            response.StatusCode == HttpStatusCode.OK && body.Contains(identity.ToString(), StringComparison.Ordinal),
            "With the ticket, the backend greets Ada by name.");
        using var second = await GetAsync(caller, cancellationToken);
        Check(
            second.StatusCode == HttpStatusCode.OK && environment.Realm.Transcript.Count == exchangesBefore,
            "A second request needs no KDC: the ticket is cached, only the header value is new.");
    }

    private async Task SendRefusedRequestAsync(CancellationToken cancellationToken)
    {
        output.WriteTitle("A user who must not be delegated", "Grace signs in successfully too. In the directory, Grace's account is "
            + "marked as "
            + "sensitive: it cannot be delegated. The KDC issues an S4U2Self ticket that is not forwardable, and refuses it as evidence.");
        environment.Realm.ClearTranscript();
        var requestsBefore = environment.Backend.Requests.Count;
        var token = environment.SignIn("grace.hopper@contoso.test", "grace");
        var grace = await environment.Delegation.ValidateTokenAsync(token, cancellationToken);
        try
        {
            using var response = await GetAsync(grace, cancellationToken);
            Check(condition: false, Invariant($"The request as Grace is refused (the backend responded with {(int)response.StatusCode})."));
        }
        catch (KcdException refusal)
        {
            output.WriteExchanges(environment.Realm.Transcript.Select(ExplainedExchange.FromRecord));
            output.WriteRefusal(refusal);
            Check(
                refusal is { Stage: KcdStage.Delegation, IsTransient: false, Remedy.Length: > 0 },
                "The refusal names the stage, the cause and a remedy.");
        }
        Check(environment.Backend.Requests.Count == requestsBefore, "Without a ticket, no request is sent to the backend.");
    }

    private async Task<HttpResponseMessage> GetAsync(ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "");
        request.SetCaller(caller);
        return await environment.DelegatedClient.SendAsync(request, cancellationToken);
    }

    private void Check(bool condition, string expectation)
    {
        _checks.Add(new DemoCheck(expectation, condition));
        if (!condition)
        {
            output.WriteFailedCheck(expectation);
            throw new CheckFailedException();
        }
        output.WritePassedCheck(expectation);
    }

    private static string GetClaim(ClaimsPrincipal caller, string type) => caller.FindFirst(type)?.Value ?? "(none)";

    private static NegotiateTokenKind? GetKind(string header) => NegotiateToken.TryParse(header, out var token) ? token.Kind : null;

    private static string FormatStatus(HttpResponseMessage response) => Invariant($"{(int)response.StatusCode} {response.ReasonPhrase}");

    /// <summary>Returns the first characters of a secret. The values of the demo expire with its servers.</summary>
    private static string Shorten(string secret) => $"{secret[..ShownCharacters]}…";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The exception that ends the scenario after a failed check.</summary>
    private sealed class CheckFailedException : Exception;
}
