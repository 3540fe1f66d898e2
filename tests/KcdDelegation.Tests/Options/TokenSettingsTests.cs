using KcdDelegation.Settings;

namespace KcdDelegation.Tests.Options;

/// <summary>The settings for tokens and callers.</summary>
public sealed class TokenSettingsTests
{
    private const string Tenant = "11111111-2222-3333-4444-555555555555";
    private const string Other = "99999999-2222-3333-4444-555555555555";

    public static TheoryData<string, string, Action<KcdOptions>> Faults => new()
    {
        { "Kcd:Token:Authority", Other, o => o.Token.Authority = $"https://login.microsoftonline.com/{Other}/v2.0" },
        { "Kcd:Token:Authority", Tenant, o => o.Token.Authority = $"https://login.microsoftonline.com/{Other}/v2.0" },
        { "Kcd:Token:Authority", Other, o => o.Token.Authority = $"https://login.microsoftonline.us/{Other}" },
        { "Kcd:Token:Authority", Other, o => o.Token.Authority = $"https://sts.windows.net/{Other}/" },
        { "Kcd:Token:Authority", Other, o => o.Token.Authority = $"https://contoso.ciamlogin.com/{Other}/v2.0" },
        { "Kcd:Token:Issuer", Other, o => (o.Token.Authority, o.Token.Issuer) =
            ($"https://login.microsoftonline.com/{Tenant}/v2.0", $"https://sts.windows.net/{Other}/") },
        { "Kcd:Token:TenantId", "is missing", o => (o.Token.Authority, o.Token.TenantId) = ($"https://sts.windows.net/{Tenant}/", null) },
        { "Kcd:Token:TenantId", "is missing", o =>
            (o.Token.Authority, o.Token.TenantId) = ($"https://login.windows.net/{Tenant}/v2.0", null) },
        { "Kcd:Token:TenantId", "a blank", o => o.Token.TenantId = Tenant + " " },
        { "Kcd:Token:TenantId", "a blank", o => o.Token = new TokenOptions { TenantId = Tenant + "\t" } },
        { "Kcd:Token:TenantId", "not a tenant id", o =>
            (o.Token.Authority, o.Token.TenantId) = ("https://login.microsoftonline.com/contoso.com/v2.0", Tenant + " ") },
        { "Kcd:Token:Audience", "a blank", o => o.Token.Audience = "api://gateway " },
        { "Kcd:Token:Audience", "is missing", o => (o.Token.Audience, o.Token.ClientId) = (null, "client") },
        { "Kcd:Token:ClientId", "is missing", o => o.Token.Kind = TokenKind.IdToken },
        { "Kcd:Token:ClientId", "is missing", o => o.Token.ClientId = "" },
        { "Kcd:Token:Authority", "is missing", o => o.Token = new TokenOptions { ClientId = "client", Kind = TokenKind.IdToken } },
        { "Kcd:Token:Kind", "AccessToken, IdToken", o => o.Token.Kind = (TokenKind)7 },
        { "Kcd:Token:Kind", "AccessToken, IdToken", o => o.Token = new TokenOptions { Kind = (TokenKind)7 } },
        { "Kcd:Token:RequiredScopes:1", "not one word", o =>
            {
                o.Token.RequiredScopes.Add("a");
                o.Token.RequiredScopes.Add("b c");
            }
        },
        { "Kcd:Token:RequiredScopes", "the same value", o =>
            (o.Token.TenantId, o.Token.Authority, o.Token.ClientId) = (null, "https://adfs.contoso.com/adfs", o.Token.Audience) },
        { "Kcd:Token:RequiredRoles:0", "white space", o => o.Token.RequiredRoles.Add("") },
        { "Kcd:Applications:erp:RequiredScopes:0", "not one word", o => o.Application().RequiredScopes.Add(" ") },
        { "Kcd:Applications:erp:RequiredRoles:0", "white space", o => o.Application().RequiredRoles.Add(null!) },
        { "Kcd:Applications:erp:RequiredRoles:0", "white space", o => o.Application().RequiredRoles.Add("Clerk ") },
    };

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public void A_wrong_setting_is_reported_by_its_key(string key, string problem, Action<KcdOptions> make)
    {
        var options = Samples.Options();
        make(options);

        SettingsParser.TryParse(options, out _, out var errors).ShouldBeFalse();

        errors.ShouldContain(error => error.StartsWith(key + " ", StringComparison.Ordinal)
            && error.Contains(problem, StringComparison.Ordinal), string.Join('\n', errors));
    }

    [Theory]
    [InlineData($"https://login.microsoftonline.com/{Tenant}/v2.0", null)]
    [InlineData("https://login.microsoftonline.com/contoso.com/v2.0", null)]
    [InlineData("https://login.example/tenant/v2.0", $"https://sts.windows.net/{Tenant}/")]
    [InlineData($"https://LOGIN.microsoftonline.com/{Tenant}", $"https://sts.windows.net/{Tenant}/")]
    public void Addresses_of_the_tenant_are_accepted(string authority, string? issuer)
    {
        var options = Samples.Options();
        (options.Token.Authority, options.Token.Issuer) = (authority, issuer);

        SettingsParser.TryParse(options, out _, out var errors).ShouldBeTrue(string.Join('\n', errors));
    }

    [Fact]
    public void A_host_that_only_signs_users_in_needs_no_audience_of_an_API()
    {
        var options = Samples.Options();
        (options.Token.Audience, options.Token.ClientId, options.Token.Kind) = (null, "client", TokenKind.IdToken);

        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeTrue(string.Join('\n', errors));
        settings.ShouldNotBeNull().Applications["erp"].Callers.Kind.ShouldBe(TokenKind.IdToken);
    }
}
