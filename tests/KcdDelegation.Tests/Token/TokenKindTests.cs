using System.Security.Claims;
using System.Text.Json.Nodes;
using KcdDelegation.Token;

namespace KcdDelegation.Tests.Token;

/// <summary>The two kinds of tokens, which the host names.</summary>
public sealed class TokenKindTests : IDisposable
{
    private readonly FakeIssuer _issuer = new();

    public void Dispose() => _issuer.Dispose();

    [Fact]
    public async Task An_ID_token_for_the_client_is_accepted_as_an_ID_token()
    {
        var caller = await ValidateAsync(_issuer.IdPayload());

        caller.FindFirstValue("upn").ShouldBe("ada@contoso.com");
        caller.Identity!.AuthenticationType.ShouldBe("IdToken");
    }

    [Fact]
    public async Task Roles_of_a_user_are_accepted_in_an_ID_token()
    {
        var payload = _issuer.IdPayload();
        payload["roles"] = new JsonArray("Reader");

        (await ValidateAsync(payload)).FindFirstValue("roles").ShouldBe("Reader");
    }

    public static TheoryData<string, int, Action<JsonObject>> Faults => new()
    {
        { "audience of the API", 1024, p => p["aud"] = FakeIssuer.Audience },
        { "no audience", 1024, p => p.Remove("aud") },
        { "audience with a blank", 1024, p => p["aud"] = FakeIssuer.ClientId + " " },
        { "another issuer", 1022, p => p["iss"] = "https://login.example/other/v2.0" },
        { "another tenant", 1023, p => p["tid"] = FakeIssuer.OtherTenant },
        { "no tenant", 1023, p => p.Remove("tid") },
        { "expired", 1020, p => p["exp"] = 1 },
        { "another nonce", 1028, p => p["nonce"] = "n-2" },
        { "nonce in another case", 1028, p => p["nonce"] = "N-1" },
        { "no nonce", 1028, p => p.Remove("nonce") },
        { "nonce is a list", 1028, p => p["nonce"] = new JsonArray("n-1") },
        { "issued to another client", 1027, p => p["azp"] = "other" },
        { "issued to a number", 1027, p => p["azp"] = 1 },
        { "issued to nothing", 1027, p => p["azp"] = null },
        { "two audiences and no authorized party", 1027, p => p["aud"] = new JsonArray(FakeIssuer.ClientId, "other") },
        { "access token by its scope", 1008, p => p["scp"] = "access_as_user" },
        { "guest", 1025, p => p["acct"] = 1 },
        { "guest of another directory", 1025, p => p["idp"] = "https://sts.windows.net/other/" },
        { "application", 1026, p => p["idtyp"] = "app" },
        { "application by its subject", 1026, p => p["sub"] = p["oid"]!.DeepClone() },
    };

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public async Task An_ID_token_with_one_fault_is_refused_for_it(string fault, int eventId, Action<JsonObject> make)
    {
        var payload = _issuer.IdPayload();
        make(payload);

        (await RefusedAsync(payload)).EventId.ShouldBe(eventId, fault);
    }

    [Fact]
    public async Task The_authorized_party_may_be_the_client_among_several_audiences()
    {
        var payload = _issuer.IdPayload();
        (payload["aud"], payload["azp"]) = (new JsonArray(FakeIssuer.ClientId, "other"), FakeIssuer.ClientId);

        (await ValidateAsync(payload)).Identity!.IsAuthenticated.ShouldBeTrue();
    }

    [Fact]
    public async Task A_nonce_that_the_host_checks_is_not_compared()
    {
        (await _issuer.Validator().ValidateAsync(Sign(_issuer.IdPayload("any")), TokenKind.IdToken, nonce: null, Cancel))
            .FindFirstValue("nonce").ShouldBe("any");
    }

    [Fact]
    public async Task A_type_of_access_tokens_is_no_ID_token()
    {
        var header = FakeIssuer.Header();
        header["typ"] = "at+jwt";

        (await Should.ThrowAsync<KcdException>(() => _issuer.Validator().ValidateAsync(
            _issuer.Sign(header, _issuer.IdPayload()), TokenKind.IdToken, "n-1", Cancel).AsTask())).EventId.ShouldBe(1008);
    }

    [Fact]
    public async Task An_ID_token_is_no_access_token_even_with_the_same_audience()
    {
        var payload = _issuer.IdPayload();
        payload["aud"] = FakeIssuer.Audience;

        (await AccessRefusedAsync(payload)).EventId.ShouldBe(1029);
        payload["roles"] = new JsonArray("Reader");
        (await AccessRefusedAsync(payload)).EventId.ShouldBe(1026);
    }

    [Fact]
    public async Task An_access_token_with_the_clients_audience_is_no_ID_token()
    {
        var payload = _issuer.Payload();
        (payload["aud"], payload["nonce"]) = (FakeIssuer.ClientId, "n-1");

        (await RefusedAsync(payload)).EventId.ShouldBe(1008);
    }

    [Fact]
    public async Task A_kind_whose_audience_is_not_configured_is_refused()
    {
        var access = await Should.ThrowAsync<KcdException>(() => _issuer.Validator(o => (o.Audience, o.Kind) = (null, TokenKind.IdToken))
            .ValidateAsync(_issuer.Token(), Cancel).AsTask());
        var id = await Should.ThrowAsync<KcdException>(() => _issuer.Validator(o => o.ClientId = null)
            .ValidateAsync(Sign(_issuer.IdPayload()), TokenKind.IdToken, "n-1", Cancel).AsTask());

        (access.EventId, id.EventId).ShouldBe((1030, 1030));
        access.Cause.ShouldContain("Kcd:Token:Audience");
        id.Cause.ShouldContain("Kcd:Token:ClientId");
    }

    [Theory]
    [InlineData("access_as_user", true)]
    [InlineData("other access_as_user", true)]
    [InlineData("access_as_user2", false)]
    [InlineData("ACCESS_AS_USER", false)]
    public async Task Required_scopes_are_words_of_the_scope(string scope, bool isAccepted)
    {
        var payload = _issuer.Payload();
        payload["scp"] = scope;
        var validator = _issuer.Validator(o => o.RequiredScopes.Add("access_as_user"));

        if (isAccepted)
            (await validator.ValidateAsync(Sign(payload), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
        else
            (await AccessRefusedAsync(payload, validator)).EventId.ShouldBe(1029);
    }

    [Fact]
    public async Task Every_required_scope_and_role_is_required()
    {
        var validator = _issuer.Validator(o =>
        {
            o.RequiredScopes.Add("a");
            o.RequiredScopes.Add("b");
            o.RequiredRoles.Add("Reader");
        });
        var payload = _issuer.Payload();
        (payload["scp"], payload["roles"]) = (new JsonArray("a", "b"), new JsonArray("Writer", "Reader"));
        (await validator.ValidateAsync(Sign(payload), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();

        payload["scp"] = "a";
        (await AccessRefusedAsync(payload, validator)).Cause.ShouldContain("\"b\"");
        (payload["scp"], payload["roles"]) = ("a b", "Writer");
        (await AccessRefusedAsync(payload, validator)).EventId.ShouldBe(1034);
    }

    [Fact]
    public async Task A_role_with_blanks_in_the_token_gives_no_scope_and_a_scope_gives_no_role()
    {
        var payload = _issuer.Payload();
        (payload["scp"], payload["roles"]) = ("Reader", "access_as_user");

        (await AccessRefusedAsync(payload, _issuer.Validator(o => o.RequiredScopes.Add("access_as_user")))).EventId.ShouldBe(1029);
        (await AccessRefusedAsync(payload, _issuer.Validator(o => o.RequiredRoles.Add("Reader")))).EventId.ShouldBe(1034);
    }

    [Fact]
    public async Task An_application_needs_a_role_where_applications_are_allowed()
    {
        var payload = _issuer.Payload();
        payload.Remove("scp");
        (payload["sub"], payload["idtyp"]) = (payload["oid"]!.DeepClone(), "app");
        var validator = _issuer.Validator(o => o.AllowApplicationTokens = true);

        (await AccessRefusedAsync(payload, validator)).EventId.ShouldBe(1029);
        payload["roles"] = new JsonArray("Task.Run");
        (await validator.ValidateAsync(Sign(payload), Cancel)).FindFirstValue("roles").ShouldBe("Task.Run");
    }

    [Fact]
    public async Task An_issuer_without_tenants_may_send_no_scope()
    {
        var payload = _issuer.Payload();
        payload.Remove("scp");

        (await _issuer.Validator(o => o.TenantId = null).ValidateAsync(Sign(payload), Cancel)).Identity!.IsAuthenticated.ShouldBeTrue();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Sign(JsonObject payload) => _issuer.Sign(FakeIssuer.Header(), payload);

    private ValueTask<ClaimsPrincipal> ValidateAsync(JsonObject payload) =>
        _issuer.Validator().ValidateAsync(Sign(payload), TokenKind.IdToken, "n-1", Cancel);

    private Task<KcdException> RefusedAsync(JsonObject payload) =>
        Should.ThrowAsync<KcdException>(() => ValidateAsync(payload).AsTask());

    private Task<KcdException> AccessRefusedAsync(JsonObject payload, TokenValidator? validator = null) =>
        Should.ThrowAsync<KcdException>(() => (validator ?? _issuer.Validator()).ValidateAsync(Sign(payload), Cancel).AsTask());
}
