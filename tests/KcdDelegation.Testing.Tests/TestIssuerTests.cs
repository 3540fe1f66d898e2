using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Testing.Tests;

public sealed class IssuerFixture : IAsyncLifetime
{
    public TestIssuer Issuer { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Issuer = await TestIssuer.StartAsync();

    public ValueTask DisposeAsync() => Issuer.DisposeAsync();
}

public sealed class TestIssuerTests(IssuerFixture shared) : IClassFixture<IssuerFixture>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static async Task<TokenValidationResult> ValidateAsync(TestIssuer issuer, string token)
    {
        using var client = new HttpClient();
        var document = JsonNode.Parse(await client.GetStringAsync(new Uri(issuer.Authority + "/.well-known/openid-configuration"), Stop))!;
        ((string?)document["issuer"]).ShouldBe(issuer.Authority);
        var keys = JsonWebKeySet.Create(await client.GetStringAsync(new Uri((string)document["jwks_uri"]!), Stop));
        return await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = issuer.Authority, ValidAudience = TestIssuer.DefaultAudience, IssuerSigningKeys = keys.GetSigningKeys(),
                ClockSkew = TimeSpan.Zero, TryAllIssuerSigningKeys = false,
        });
    }

    [Fact]
    public async Task A_token_is_valid_under_the_published_document_and_keys()
    {
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: Stop);
        var claims = new Dictionary<string, object?>(StringComparer.Ordinal) { ["onprem_sam_account_name"] = "ada", ["scp"] = null };
        var result = await ValidateAsync(issuer, issuer.CreateToken("ada@contoso.com", claims));
        result.IsValid.ShouldBeTrue();
        result.Claims["upn"].ShouldBe("ada@contoso.com");
        result.Claims["tid"].ShouldBe(TestIssuer.DefaultTenantId);
        result.Claims["onprem_sam_account_name"].ShouldBe("ada");
        result.Claims.ShouldNotContainKey("scp");
        (issuer.DocumentRequests, issuer.KeyRequests).ShouldBe((1, 1));
    }

    [Fact]
    public void The_same_user_has_the_same_object_identifier_and_another_user_another()
    {
        var issuer = shared.Issuer;
        ObjectIdentifier("ada@contoso.com").ShouldBe(ObjectIdentifier("ada@contoso.com"));
        ObjectIdentifier("bob@contoso.com").ShouldNotBe(ObjectIdentifier("ada@contoso.com"));

        string ObjectIdentifier(string user) => new JsonWebToken(issuer.CreateToken(user)).GetClaim("oid").Value;
    }

    [Theory]
    [InlineData(TokenFlaw.Expired, typeof(SecurityTokenExpiredException))]
    [InlineData(TokenFlaw.NotYetValid, typeof(SecurityTokenNotYetValidException))]
    [InlineData(TokenFlaw.NoExpiry, typeof(SecurityTokenNoExpirationException))]
    [InlineData(TokenFlaw.WrongAudience, typeof(SecurityTokenInvalidAudienceException))]
    [InlineData(TokenFlaw.WrongIssuer, typeof(SecurityTokenInvalidIssuerException))]
    [InlineData(TokenFlaw.AlgorithmNone, typeof(SecurityTokenInvalidSignatureException))]
    [InlineData(TokenFlaw.HmacWithPublicKey, typeof(SecurityTokenInvalidSignatureException))]
    [InlineData(TokenFlaw.OtherKey, typeof(SecurityTokenInvalidSignatureException))]
    [InlineData(TokenFlaw.UnknownKey, typeof(SecurityTokenSignatureKeyNotFoundException))]
    [InlineData(TokenFlaw.Tampered, typeof(SecurityTokenInvalidSignatureException))]
    public async Task A_flawed_token_is_invalid_for_its_flaw(TokenFlaw flaw, Type error)
    {
        var issuer = shared.Issuer;
        var result = await ValidateAsync(issuer, issuer.CreateBadToken(flaw));
        result.IsValid.ShouldBeFalse();
        result.Exception.ShouldBeAssignableTo(error);
    }

    [Theory]
    [InlineData(TokenFlaw.WrongTenant, "tid", "99999999-8888-7777-6666-555555555555")]
    [InlineData(TokenFlaw.Guest, "acct", "1")]
    [InlineData(TokenFlaw.ApplicationOnly, "idtyp", "app")]
    public async Task Flaws_against_policy_are_claims_of_a_valid_token(TokenFlaw flaw, string claim, string value)
    {
        var issuer = shared.Issuer;
        var token = issuer.CreateBadToken(flaw);
        (await ValidateAsync(issuer, token)).IsValid.ShouldBeTrue();
        new JsonWebToken(token).GetClaim(claim).Value.ShouldBe(value);
    }

    [Fact]
    public async Task After_a_rotation_old_tokens_are_valid_until_the_old_keys_are_withdrawn()
    {
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: Stop);
        var old = issuer.CreateToken("ada@contoso.com");
        issuer.Rotate();
        (await ValidateAsync(issuer, old)).IsValid.ShouldBeTrue();
        (await ValidateAsync(issuer, issuer.CreateToken("ada@contoso.com"))).IsValid.ShouldBeTrue();
        issuer.WithdrawOldKeys();
        (await ValidateAsync(issuer, old)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task A_provider_that_is_down_answers_503()
    {
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: Stop);
        issuer.IsDown = true;
        using var client = new HttpClient();
        using var response = await client.GetAsync(new Uri(issuer.Authority + "/.well-known/openid-configuration"), Stop);
        ((int)response.StatusCode).ShouldBe(503);
    }
}
