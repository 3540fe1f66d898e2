using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using KcdDelegation.Settings;
using KcdDelegation.Token;

namespace KcdDelegation.Tests.Token;

/// <summary>What is remembered about a token: that its signature was good, and its claims. Nothing else.</summary>
public sealed class VerifiedTokensTests : IDisposable
{
    private readonly FakeIssuer _issuer = new();

    public void Dispose() => _issuer.Dispose();

    [Fact]
    public async Task A_token_is_remembered_when_it_was_accepted()
    {
        var validator = _issuer.Validator();
        var token = _issuer.Token();
        await validator.ValidateAsync(token, Cancel);
        var remembered = Remembered(token);

        remembered.ShouldNotBeNull();
        await validator.ValidateAsync(token, Cancel);
        Remembered(token).ShouldBeSameAs(remembered);
    }

    [Fact]
    public async Task A_token_inside_of_a_header_is_the_same_token()
    {
        var validator = _issuer.Validator();
        var token = _issuer.Token();
        var header = $"Bearer  {token} ";
        await validator.ValidateAsync(token, Cancel);

        TokenHash.TryCreate(header.AsSpan(8, token.Length), out var hash).ShouldBeTrue();
        _issuer.SigningKeys!.FindCurrent()!.Verified.Find(hash).ShouldBeSameAs(Remembered(token).ShouldNotBeNull());
    }

    [Fact]
    public async Task A_token_that_was_refused_is_not_remembered()
    {
        var validator = _issuer.Validator();
        await validator.ValidateAsync(_issuer.Token(), Cancel);
        var signature = _issuer.Token(audience: "api://x");
        signature = signature[..^4] + (signature.EndsWith("AAAA", StringComparison.Ordinal) ? "BBBA" : "AAAA");
        foreach (var token in new[] { _issuer.Token(audience: "api://other"), _issuer.Token(issuer: "https://other.example"), signature })
        {
            await RefusedAsync(validator, token);
            Remembered(token).ShouldBeNull();
        }
    }

    [Fact]
    public async Task A_remembered_token_expires()
    {
        var validator = _issuer.Validator();
        var token = _issuer.Token();
        await validator.ValidateAsync(token, Cancel);

        _issuer.Time.Advance(TimeSpan.FromMinutes(63));

        (await RefusedAsync(validator, token)).EventId.ShouldBe(1020);
    }

    [Fact]
    public async Task A_remembered_token_is_not_valid_before_its_time_if_the_clock_is_set_back()
    {
        var validator = _issuer.Validator();
        var token = _issuer.Token();
        await validator.ValidateAsync(token, Cancel);

        _issuer.Time.CorrectClock(TimeSpan.FromMinutes(-3));

        (await RefusedAsync(validator, token)).EventId.ShouldBe(1021);
    }

    public static TheoryData<int, Action<TokenOptions>> Changes => new()
    {
        { 1024, o => o.Audience = "api://other" },
        { 1023, o => o.TenantId = FakeIssuer.OtherTenant },
        { 1029, o => o.RequiredScopes.Add("other") },
        { 1034, o => o.RequiredRoles.Add("Reader") },
        { 1022, o => o.Issuer = "https://login.example/other" },
    };

    [Theory]
    [MemberData(nameof(Changes), DisableDiscoveryEnumeration = true)]
    public async Task Every_rule_of_the_settings_is_checked_again(int eventId, Action<TokenOptions> change)
    {
        var token = _issuer.Token();
        await _issuer.Validator().ValidateAsync(token, Cancel);
        var keys = _issuer.SigningKeys!;

        var changed = new TokenValidator(FakeIssuer.Settings(change), keys, _issuer.Time);

        (await RefusedAsync(changed, token)).EventId.ShouldBe(eventId);
        Remembered(token).ShouldNotBeNull();
    }

    [Fact]
    public async Task The_kind_and_the_nonce_are_checked_again()
    {
        var validator = _issuer.Validator();
        var token = _issuer.Sign(FakeIssuer.Header(), _issuer.IdPayload());
        await validator.ValidateAsync(token, TokenKind.IdToken, "n-1", Cancel);

        (await RefusedAsync(validator, token)).EventId.ShouldBe(1024);
        (await Should.ThrowAsync<KcdException>(async () => await validator.ValidateAsync(token, TokenKind.IdToken, "n-2", Cancel))).EventId
            .ShouldBe(1028);
    }

    [Fact]
    public async Task A_token_that_differs_in_one_character_is_another_token()
    {
        var validator = _issuer.Validator();
        var token = _issuer.Token();
        await validator.ValidateAsync(token, Cancel);

        for (var at = 0; at < token.Length; at += 7)
        {
            var other = token[..at] + (token[at] == 'B' ? 'C' : 'B') + token[(at + 1)..];
            await RefusedAsync(validator, other);
            Remembered(other).ShouldBeNull();
        }
        await RefusedAsync(validator, token.Replace('e', '\u0165'));
        await RefusedAsync(validator, token + " ");
    }

    [Fact]
    public async Task A_withdrawn_key_ends_what_is_remembered()
    {
        var validator = _issuer.Validator();
        var payload = _issuer.Payload();
        payload["exp"] = _issuer.Time.GetUtcNow().AddDays(2).ToUnixTimeSeconds();
        var token = _issuer.Sign(FakeIssuer.Header(), payload);
        await validator.ValidateAsync(token, Cancel);
        _issuer.PublishedKeys.Clear();
        _issuer.Publish("key-2", FakeIssuer.SecondKey);
        _issuer.Time.Advance(TimeSpan.FromMinutes(1));
        await validator.ValidateAsync(token, Cancel);

        // A token with an unknown key makes the validator load the documents.
        await validator.ValidateAsync(_issuer.Token("key-2"), Cancel);

        Remembered(token).ShouldBeNull();
        (await RefusedAsync(validator, token)).EventId.ShouldBe(1010);
    }

    [Fact]
    public async Task Keys_that_cannot_be_refreshed_for_a_day_end_what_is_remembered()
    {
        var validator = _issuer.Validator();
        var payload = _issuer.Payload();
        payload["exp"] = _issuer.Time.GetUtcNow().AddDays(2).ToUnixTimeSeconds();
        var token = _issuer.Sign(FakeIssuer.Header(), payload);
        await validator.ValidateAsync(token, Cancel);
        _issuer.Instead = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);

        _issuer.Time.Advance(TimeSpan.FromHours(25));

        (await RefusedAsync(validator, token)).EventId.ShouldBe(1031);
    }

    [Fact]
    public async Task Unchanged_documents_keep_what_is_remembered()
    {
        var validator = _issuer.Validator();
        var token = _issuer.Token();
        await validator.ValidateAsync(token, Cancel);
        var remembered = Remembered(token);
        _issuer.Time.Advance(TimeSpan.FromSeconds(31));

        // An invented key makes the validator load the documents.
        (await RefusedAsync(validator, _issuer.Sign(FakeIssuer.Header("invented"), _issuer.Payload()))).EventId.ShouldBe(1010);

        _issuer.Requests.Count.ShouldBe(4);
        Remembered(token).ShouldBeSameAs(remembered);
    }

    [Fact]
    public async Task Remembered_tokens_refresh_the_keys_when_it_is_due()
    {
        var validator = _issuer.Validator();
        var payload = _issuer.Payload();
        payload["exp"] = _issuer.Time.GetUtcNow().AddDays(2).ToUnixTimeSeconds();
        var token = _issuer.Sign(FakeIssuer.Header(), payload);
        await validator.ValidateAsync(token, Cancel);
        _issuer.PublishedKeys.Clear();
        _issuer.Publish("key-2", FakeIssuer.SecondKey);

        _issuer.Time.Advance(TimeSpan.FromHours(12));
        await validator.ValidateAsync(token, Cancel);
        // Waits for the refresh, which the remembered token started.
        await validator.ValidateAsync(_issuer.Token("key-2"), Cancel);

        (await RefusedAsync(validator, token)).EventId.ShouldBe(1010);
    }

    [Fact]
    public async Task A_host_that_changes_its_principal_changes_no_other()
    {
        var validator = _issuer.Validator();
        var token = _issuer.Token();
        var first = await validator.ValidateAsync(token, Cancel);
        ((ClaimsIdentity)first.Identity!).AddClaim(new Claim("roles", "Administrator"));
        ((ClaimsIdentity)first.Identity!).RemoveClaim(first.FindFirst("upn"));
        first.FindFirst("oid")!.Properties["changed"] = "yes";

        var second = await validator.ValidateAsync(token, Cancel);

        second.FindFirst("roles").ShouldBeNull();
        second.FindFirstValue("upn").ShouldBe("ada@contoso.com");
        second.FindFirst("oid")!.Properties.ShouldBeEmpty();
        second.FindFirst("oid")!.Subject.ShouldBeSameAs(second.Identity);
    }

    [Fact]
    public async Task Long_tokens_are_remembered_too()
    {
        var validator = _issuer.Validator();
        var payload = _issuer.Payload();
        payload["groups"] = new JsonArray([.. Enumerable.Range(0, 200).Select(i => JsonValue.Create($"group-{i:D20}"))]);
        var token = _issuer.Sign(FakeIssuer.Header(), payload);
        await validator.ValidateAsync(token, Cancel);

        Remembered(token).ShouldNotBeNull();
        (await validator.ValidateAsync(token, Cancel)).FindAll("groups").Count().ShouldBe(200);
    }

    [Fact]
    public void Memory_is_bounded_and_tokens_in_use_stay()
    {
        var verified = new VerifiedTokens();
        var used = new TokenHash(1, 0, 0, 0);
        var unused = new TokenHash(2, 0, 0, 0);
        verified.Add(used, Claims());
        verified.Add(unused, Claims());

        // Each has about two megabytes, so 16 fill a generation.
        for (ulong i = 10; i < 60; i++)
        {
            verified.Add(new TokenHash(i, 0, 0, 0), Claims(new string('x', 1024 * 1024)));
            verified.Find(used).ShouldNotBeNull();
        }

        verified.Find(unused).ShouldBeNull();
        Enumerable.Range(10, 50).Count(i => verified.Find(new TokenHash((ulong)i, 0, 0, 0)) is not null).ShouldBeInRange(1, 33);

        static TokenClaims Claims(string text = "") =>
            TokenClaims.Read(JsonSerializer.SerializeToElement(new { exp = 1, text }), isAccessTokenType: false);
    }

    [Fact]
    public async Task Requests_at_the_same_time_share_what_is_remembered()
    {
        var validator = _issuer.Validator();
        var token = _issuer.Token();

        var callers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(async () =>
            await validator.ValidateAsync(token, Cancel), Cancel)));

        callers.Distinct().Count().ShouldBe(64);
        callers.ShouldAllBe(caller => caller.HasClaim("upn", "ada@contoso.com"));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TokenClaims? Remembered(string token) =>
        TokenHash.TryCreate(token, out var hash) ? _issuer.SigningKeys!.FindCurrent()!.Verified.Find(hash) : null;

    private static async Task<KcdException> RefusedAsync(TokenValidator validator, string token) =>
        await Should.ThrowAsync<KcdException>(async () => await validator.ValidateAsync(token, Cancel));
}
