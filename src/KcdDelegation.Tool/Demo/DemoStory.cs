using System.Globalization;
using System.Net;
using System.Security.Claims;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Output;

namespace KcdDelegation.Tool.Demo;

/// <summary>Follows one request through its five stages, shows each as it happens, and holds it to what should happen; then a user who may
/// not be delegated.</summary>
internal sealed class DemoStory(DemoWorld world, DemoScreen screen, TimeProvider time)
{
    private const int ShownCharacters = 38;

    private readonly List<DemoCheck> _checks = [];

    public async Task<DemoResult> TellAsync(CancellationToken cancellationToken)
    {
        try
        {
            Introduce();
            var ada = await ShowTokenAsync(cancellationToken);
            var identity = await ShowIdentityAsync(ada, cancellationToken);
            var credential = await ShowTicketAsync(ada, identity, cancellationToken);
            ShowHeader(credential);
            await ShowRequestAsync(ada, identity, cancellationToken);
            await ShowRefusalAsync(cancellationToken);
        }
        catch (UnexpectedTurnException)
        {
            // The check that failed is the last of the list, and on the screen.
        }
        return new DemoResult { Checks = _checks };
    }

    private void Introduce()
    {
        screen.Title("One request, followed", "Ada signed in to the cloud and wants the intranet, which knows nothing but Kerberos. A gateway stands between them. "
            + "All of it runs in this process, on loopback, and is gone when this ends.");
        screen.Say("1 token  >  2 identity  >  3 ticket  >  4 header  >  5 HTTP");
        screen.Facts(
            ("issuer", new Uri(world.Issuer.Authority).GetLeftPart(UriPartial.Authority), "signs tokens, as Microsoft Entra ID does"),
            ("KDC", world.Realm.Endpoint.ToString(), $"of the realm {world.Realm.Name}, as a domain controller"),
            ("backend", world.Backend.Url.ToString(), $"{DemoWorld.Service}, Kerberos only"),
            ("gateway", DemoWorld.GatewayAccount, "this library; may delegate to that backend only"));
    }

    private async Task<ClaimsPrincipal> ShowTokenAsync(CancellationToken cancellationToken)
    {
        screen.Stage(1, "Token", "Ada's request arrives with a token. The gateway believes one issuer, one tenant, one audience, "
            + "and checks the signature with the key that the issuer publishes.");
        var token = world.SignIn("ada.lovelace@contoso.test", "ada");
        var caller = await world.Delegation.ValidateTokenAsync(token, cancellationToken);
        screen.Facts(
            ("token", Beginning(token), Invariant($"{token.Length} characters")),
            ("tid", GetClaim(caller, "tid"), "the tenant"),
            ("aud", GetClaim(caller, "aud"), "whom it is for: the gateway"),
            ("upn", GetClaim(caller, "upn"), "her name in the cloud"),
            (DemoWorld.IdentityClaim, GetClaim(caller, DemoWorld.IdentityClaim), "her account on premises"));
        Check(caller.Identity?.IsAuthenticated == true, "The token is good: signature, issuer, tenant, audience and time.");
        return caller;
    }

    private async Task<KerberosPrincipal> ShowIdentityAsync(ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        screen.Stage(2, "Identity", "The directory does not know her cloud name. The application says which of her names it does: "
            + "here LoginIdentity is OnPremisesSamAccountName. One claim, exactly one value, or it is an error; a name is never guessed.");
        var identity = await world.Delegation.MapAsync(DemoWorld.Application, caller, cancellationToken);
        screen.Facts(
            ("claim", $"{DemoWorld.IdentityClaim} = {GetClaim(caller, DemoWorld.IdentityClaim)}", ""),
            ("principal", identity.ToString(), $"NT-{identity.Type.ToString().ToUpperInvariant()}, what the KDC will be asked for"));
        Check(identity.ToString() == $"ada@{world.Realm.Name}", "The token's user is an account of the realm.");
        return identity;
    }

    private async Task<DelegatedCredential> ShowTicketAsync(ClaimsPrincipal caller, KerberosPrincipal identity, CancellationToken cancellationToken)
    {
        screen.Stage(3, "Ticket", "Three exchanges with the KDC, each cached: the gateway logs on, and then asks twice in Ada's name. "
            + "Her password is nowhere in it.");
        var credential = await world.Delegation.GetCredentialAsync(DemoWorld.Application, caller, cancellationToken);
        screen.Exchanges(world.Realm.Transcript.Select(ExplainedExchange.From));
        var ticket = credential.Ticket;
        screen.Facts(
            ("user", ticket.User.ToString(), "whom the backend will see"),
            ("service", ticket.Service.ToString(), "who alone can open it"),
            ("encryption", TicketNames.Format(ticket.TicketEncryptionType), Invariant($"{ticket.Size} bytes")),
            ("flags", string.Join(", ", TicketNames.Format(ticket.Flags)), ""),
            ("valid until", Invariant($"{ticket.EndTime:HH:mm:ss} UTC"), Invariant($"{(ticket.EndTime - time.GetUtcNow()).TotalHours:0.#} hours")));
        Check(ticket.User == identity, "The ticket is Ada's and nobody else's.");
        Check(world.Realm.Transcript.Count(line => line.StartsWith("PROXY", StringComparison.Ordinal)) == 1, "The KDC delegated once.");
        return credential;
    }

    private void ShowHeader(DelegatedCredential credential)
    {
        screen.Stage(4, "Header", "A ticket is used again and again, a header never: each has a fresh authenticator, encrypted with the ticket's key, "
            + "since a server refuses one that it has seen. Two frames are in use, and both begin with YII.");
        var raw = credential.CreateAuthorization(TokenFormat.Kerberos).ToString();
        var spnego = credential.CreateAuthorization(TokenFormat.Spnego).ToString();
        var next = credential.CreateAuthorization(TokenFormat.Spnego).ToString();
        screen.Facts(
            ("raw Kerberos", Beginning(raw), Invariant($"{raw.Length} characters")),
            ("SPNEGO", Beginning(spnego), Invariant($"{spnego.Length} characters; chosen here")));
        Check(GetKind(raw) == NegotiateTokenKind.Kerberos && GetKind(spnego) == NegotiateTokenKind.SpnegoKerberos, "The object identifiers tell the two apart.");
        Check(spnego != next && spnego.Length == next.Length, "The next value is another, of the same length.");
    }

    private async Task ShowRequestAsync(ClaimsPrincipal caller, KerberosPrincipal identity, CancellationToken cancellationToken)
    {
        screen.Stage(5, "HTTP", "The backend refuses strangers. The handler sends Ada's request with its own header, bound to this TLS connection, "
            + "and wants the backend to prove itself in return.");
        using var refused = await world.Stranger.GetAsync(new Uri("", UriKind.Relative), cancellationToken);
        var exchangesBefore = world.Realm.Transcript.Count;
        using var answer = await GetAsync(caller, cancellationToken);
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        screen.Facts(
            ("as a stranger", Invariant($"{(int)refused.StatusCode} {refused.ReasonPhrase}"), $"WWW-Authenticate: {refused.Headers.WwwAuthenticate}"),
            ("as Ada", Invariant($"{(int)answer.StatusCode} {answer.ReasonPhrase}"), body));
        Check(refused.StatusCode == HttpStatusCode.Unauthorized, "Without a ticket the backend answers 401.");
        Check(answer.StatusCode == HttpStatusCode.OK && body.Contains(identity.ToString(), StringComparison.Ordinal), "With it, the backend greets Ada by name.");
        using var again = await GetAsync(caller, cancellationToken);
        Check(again.StatusCode == HttpStatusCode.OK && world.Realm.Transcript.Count == exchangesBefore, "A second request asks the KDC nothing: the ticket is cached, only the header is new.");
    }

    private async Task ShowRefusalAsync(CancellationToken cancellationToken)
    {
        screen.Title("And a user who may not", "Grace signs in just as well. But the directory says of her account that it is sensitive and cannot be delegated: "
            + "the KDC gives the gateway a ticket in her name that may not be passed on.");
        world.Realm.ClearTranscript();
        var requestsBefore = world.Backend.Requests.Count;
        var grace = await world.Delegation.ValidateTokenAsync(world.SignIn("grace.hopper@contoso.test", "grace"), cancellationToken);
        try
        {
            using var answer = await GetAsync(grace, cancellationToken);
            Check(condition: false, Invariant($"Grace is refused (she got {(int)answer.StatusCode})."));
        }
        catch (KcdException refusal)
        {
            screen.Exchanges(world.Realm.Transcript.Select(ExplainedExchange.From));
            screen.Refusal(refusal);
            Check(refusal is { Stage: KcdStage.Delegation, IsTransient: false, Remedy.Length: > 0 }, "The refusal says its stage, its cause and a remedy.");
        }
        Check(world.Backend.Requests.Count == requestsBefore, "No ticket, no request: the backend never heard of it.");
    }

    private async Task<HttpResponseMessage> GetAsync(ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "");
        request.SetCaller(caller);
        return await world.Client.SendAsync(request, cancellationToken);
    }

    private void Check(bool condition, string expectation)
    {
        _checks.Add(new DemoCheck(expectation, condition));
        if (!condition)
        {
            screen.Wrong(expectation);
            throw new UnexpectedTurnException();
        }
        screen.Done(expectation);
    }

    private static string GetClaim(ClaimsPrincipal caller, string type) => caller.FindFirst(type)?.Value ?? "(none)";

    private static NegotiateTokenKind? GetKind(string header) => NegotiateToken.TryParse(header, out var token) ? token.Kind : null;

    private static string Beginning(string secret) => $"{secret[..ShownCharacters]}…";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Ends the story early.</summary>
    private sealed class UnexpectedTurnException : Exception;
}
