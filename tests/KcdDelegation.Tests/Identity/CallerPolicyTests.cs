using System.Security.Claims;
using System.Text.Json.Nodes;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using KcdDelegation.Tests.Token;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Tests.Identity;

/// <summary>Who may be delegated. Each rule is the same for principals with the names of the token and with those of .NET's default
/// renaming.</summary>
public sealed class CallerPolicyTests : IDisposable
{
    private readonly FakeIssuer _issuer = new();
    private readonly KcdOptions _options = Samples.Options();

    public CallerPolicyTests()
    {
        _options.Token = new TokenOptions { TenantId = FakeIssuer.Tenant };
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalName;
    }

    public void Dispose() => _issuer.Dispose();

    public static TheoryData<string, int, Action<JsonObject>> Refused => new()
    {
        { "idtyp app", 1026, p => p["idtyp"] = "app" },
        { "idtyp App", 1026, p => p["idtyp"] = "App" },
        { "idtyp device", 1026, p => p["idtyp"] = "device" },
        { "idtyp User", 1026, p => p["idtyp"] = "User" },
        { "idtyp with a blank", 1026, p => p["idtyp"] = "user " },
        { "idtyp is empty", 1026, p => p["idtyp"] = "" },
        { "idtyp is null", 1026, p => p["idtyp"] = null },
        { "two idtyp", 1041, p => p["idtyp"] = new JsonArray("user", "app") },
        { "roles and no scope", 1026, p =>
            {
                p.Remove("scp");
                p["roles"] = new JsonArray("Task.Run");
            }
        },
        { "one role and no scope", 1026, p =>
            {
                p.Remove("scp");
                p["role"] = "Task.Run";
            }
        },
        { "roles and a blank scope", 1026, p => (p["scp"], p["roles"]) = (" ", "Task.Run") },
        { "the own object as subject", 1026, p => p["sub"] = p["oid"]!.DeepClone() },
        { "the client as subject", 1026, p => p["azp"] = p["sub"]!.DeepClone() },
        { "the client of version 1.0 as subject", 1026, p => p["appid"] = p["sub"]!.DeepClone() },
        { "the client of RFC 9068 as subject", 1026, p => p["client_id"] = p["sub"]!.DeepClone() },
        { "guest", 1025, p => p["acct"] = 1 },
        { "guest as text", 1025, p => p["acct"] = "1" },
        { "another status", 1025, p => p["acct"] = 2 },
        { "idp of another tenant", 1025, p => p["idp"] = $"https://sts.windows.net/{FakeIssuer.OtherTenant}/" },
        { "member with the idp of another tenant", 1025, p =>
            (p["acct"], p["idp"]) = (0, $"https://sts.windows.net/{FakeIssuer.OtherTenant}/") },
        { "idp of another tenant, version 2.0", 1025, p =>
            p["idp"] = $"https://login.microsoftonline.com/{FakeIssuer.OtherTenant}/v2.0" },
        { "idp live.com", 1025, p => p["idp"] = "live.com" },
        { "idp google.com", 1025, p => p["idp"] = "google.com" },
        { "idp mail", 1025, p => p["idp"] = "mail" },
        { "idp is a SAML provider", 1025, p => p["idp"] = "https://adfs.partner.example/adfs/services/trust" },
        { "idp of a host that resembles the directory", 1025, p =>
            p["idp"] = $"https://sts.windows.net.evil.example/{FakeIssuer.Tenant}/" },
        { "idp with the tenant in another part", 1025, p => p["idp"] = $"https://evil.example/{FakeIssuer.Tenant}/" },
        { "idp over plain http", 1025, p => p["idp"] = $"http://sts.windows.net/{FakeIssuer.Tenant}/" },
        { "idp with a blank", 1025, p => p["idp"] = $"https://sts.windows.net/{FakeIssuer.Tenant}/ " },
        { "idp is empty", 1025, p => p["idp"] = "" },
        { "idp is null", 1025, p => p["idp"] = null },
        { "another tenant", 1023, p => p["tid"] = FakeIssuer.OtherTenant },
        { "tenant with a blank at the end", 1023, p => p["tid"] = FakeIssuer.Tenant + " " },
        { "tenant with a blank at the start", 1023, p => p["tid"] = " " + FakeIssuer.Tenant },
        { "no tenant", 1023, p => p.Remove("tid") },
        { "tenant is a number", 1023, p => p["tid"] = 5 },
        { "name is a number", 1042, p => p["upn"] = 12345 },
        { "name is a truth value", 1042, p => p["upn"] = true },
        { "name is an object", 1042, p => p["upn"] = new JsonObject { ["a"] = "ada@contoso.com" } },
        { "name is null", 1042, p => p["upn"] = null },
        { "name without a suffix", 1042, p => p["upn"] = "ada" },
        { "SID is a number", 1042, p => p["onprem_sid"] = 5 },
    };

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public async Task A_caller_with_one_fault_is_refused_for_it_under_all_names(string fault, int eventId, Action<JsonObject> make)
    {
        var payload = _issuer.Payload();
        make(payload);

        foreach (var isRenamed in new[] { false, true })
        {
            var caller = await ReadAsync(payload, isRenamed);
            var error = await Should.ThrowAsync<KcdException>(() => MapAsync(caller));
            error.EventId.ShouldBe(eventId, $"{fault}, renamed: {isRenamed}");
        }
    }

    public static TheoryData<string, Action<JsonObject>> Accepted => new()
    {
        { "user", _ => { } },
        { "idtyp user", p => p["idtyp"] = "user" },
        { "roles and a scope", p => p["roles"] = new JsonArray("Reader") },
        { "neither roles nor a scope", p => p.Remove("scp") },
        { "member", p => p["acct"] = 0 },
        { "idp of the tenant", p => p["idp"] = $"https://sts.windows.net/{FakeIssuer.Tenant}/" },
        { "idp of the tenant without a slash", p => p["idp"] = $"https://sts.windows.net/{FakeIssuer.Tenant}" },
        { "idp of the tenant in capitals", p => p["idp"] = $"https://sts.windows.net/{FakeIssuer.Tenant.ToUpperInvariant()}/" },
        { "idp of the tenant, version 2.0", p => p["idp"] = $"https://login.microsoftonline.com/{FakeIssuer.Tenant}/v2.0" },
        { "idp of the tenant in China", p => p["idp"] = $"https://sts.chinacloudapi.cn/{FakeIssuer.Tenant}/" },
        { "idp is the issuer", p => p["idp"] = FakeIssuer.Authority },
        { "tenant in capitals", p => p["tid"] = FakeIssuer.Tenant.ToUpperInvariant() },
        { "another client", p => (p["azp"], p["appid"]) = ("spa", "spa") },
    };

    [Theory]
    [MemberData(nameof(Accepted), DisableDiscoveryEnumeration = true)]
    public async Task A_user_of_the_tenant_is_accepted_under_all_names(string form, Action<JsonObject> make)
    {
        var payload = _issuer.Payload();
        make(payload);

        (await MapAsync(await ReadAsync(payload, isRenamed: false))).Name.ShouldBe("ada@contoso.com", form);
        (await MapAsync(await ReadAsync(payload, isRenamed: true))).Name.ShouldBe("ada@contoso.com", form);
    }

    [Theory]
    [InlineData("onprem_sam_account_name")]
    [InlineData("onpremisessamaccountname")]
    public async Task A_SAM_name_must_be_text(string claim)
    {
        _options.Application().LoginIdentity = LoginIdentity.OnPremisesSamAccountName;
        foreach (var value in new JsonNode[] { true, 12345, 1.5 })
        {
            var payload = _issuer.Payload();
            payload[claim] = value;

            var error = await Should.ThrowAsync<KcdException>(async () => await MapAsync(await ReadAsync(payload, isRenamed: false)));

            error.EventId.ShouldBe(1042);
            error.Cause.ShouldContain($"\"{claim}\" is not text");
        }
    }

    [Fact]
    public async Task A_domain_before_the_name_is_refused_with_a_hint()
    {
        _options.Application().LoginIdentity = LoginIdentity.OnPremisesSamAccountName;

        var error = await Should.ThrowAsync<KcdException>(() => MapAsync(
            Caller("Bearer", ("tid", FakeIssuer.Tenant), (ClaimTypes.WindowsAccountName, @"FABRIKAM\ada"))));

        error.EventId.ShouldBe(1042);
        error.Cause.ShouldContain(@"DOMAIN\user");
    }

    [Theory]
    [InlineData("local", true)]
    [InlineData("Local", false)]
    [InlineData("aad", false)]
    [InlineData("live.com", false)]
    public async Task Without_tenants_only_the_issuers_own_accounts_are_at_home(string provider, bool isAccepted)
    {
        _options.Token = new TokenOptions();
        var caller = Caller("Bearer", ("upn", "ada@contoso.com"), ("idp", provider));

        if (isAccepted)
            (await MapAsync(caller)).Name.ShouldBe("ada@contoso.com");
        else
            (await Should.ThrowAsync<KcdException>(() => MapAsync(caller))).EventId.ShouldBe(1025);
    }

    [Fact]
    public async Task A_host_of_several_tenants_compares_the_directory_with_the_callers_own_tenant()
    {
        _options.Token = new TokenOptions();

        (await MapAsync(Caller("Federation", ("upn", "ada@contoso.com"), ("tid", FakeIssuer.OtherTenant),
            ("idp", $"https://sts.windows.net/{FakeIssuer.OtherTenant}/")))).Name.ShouldBe("ada@contoso.com");
        (await Should.ThrowAsync<KcdException>(() => MapAsync(Caller("Federation", ("upn", "ada@contoso.com"),
            ("tid", FakeIssuer.OtherTenant), ("idp", $"https://sts.windows.net/{FakeIssuer.Tenant}/"))))).EventId.ShouldBe(1025);
    }

    [Fact]
    public async Task An_identity_that_the_host_adds_does_not_hide_an_application()
    {
        var caller = Caller("Federation", ("tid", FakeIssuer.Tenant), ("upn", "ada@contoso.com"),
            ("http://schemas.microsoft.com/identity/claims/objectidentifier", "app-1"), (ClaimTypes.NameIdentifier, "app-1"));
        caller.AddIdentity(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "row 17")], "Database"));

        (await Should.ThrowAsync<KcdException>(() => MapAsync(caller))).EventId.ShouldBe(1026);
    }

    [Theory]
    [InlineData("IdToken", TokenKind.AccessToken, true)]
    [InlineData("AuthenticationTypes.Federation", TokenKind.IdToken, true)]
    [InlineData("AuthenticationTypes.Federation", TokenKind.AccessToken, false)]
    [InlineData("Bearer", TokenKind.IdToken, false)]
    public async Task Roles_without_a_scope_show_an_application_in_access_tokens_only(string type, TokenKind kind, bool isAccepted)
    {
        _options.Token.Kind = kind;
        var caller = Caller(type, ("tid", FakeIssuer.Tenant), ("upn", "ada@contoso.com"), ("roles", "Reader"));

        if (isAccepted)
            (await MapAsync(caller)).Name.ShouldBe("ada@contoso.com");
        else
            (await Should.ThrowAsync<KcdException>(() => MapAsync(caller))).Remedy.ShouldContain("Kcd:Token:Kind");
    }

    [Fact]
    public async Task A_role_that_the_host_adds_to_a_user_shows_no_application()
    {
        var payload = _issuer.Payload();
        payload.Remove("scp");
        var caller = await ReadAsync(payload, isRenamed: true);
        caller.AddIdentity(new ClaimsIdentity([new Claim(ClaimTypes.Role, "Clerk")], "Database"));
        _options.Application().RequiredRoles.Add("Clerk");

        (await MapAsync(caller)).Name.ShouldBe("ada@contoso.com");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_application_may_require_more_scopes_and_roles_than_the_gateway(bool isRenamed)
    {
        _options.Token.RequiredScopes.Add("access_as_user");
        _options.Application().RequiredScopes.Add("erp");
        _options.Application().RequiredRoles.Add("Clerk");
        var payload = _issuer.Payload();
        (payload["scp"], payload["roles"]) = ("access_as_user erp", new JsonArray("Clerk"));
        (await MapAsync(await ReadAsync(payload, isRenamed))).Name.ShouldBe("ada@contoso.com");

        payload["scp"] = "access_as_user";
        (await Should.ThrowAsync<KcdException>(async () => await MapAsync(await ReadAsync(payload, isRenamed)))).EventId.ShouldBe(1029);
        payload["scp"] = "erp";
        (await Should.ThrowAsync<KcdException>(async () => await MapAsync(await ReadAsync(payload, isRenamed)))).EventId.ShouldBe(1029);
        (payload["scp"], payload["roles"]) = ("access_as_user erp", new JsonArray("Reader"));
        (await Should.ThrowAsync<KcdException>(async () => await MapAsync(await ReadAsync(payload, isRenamed)))).EventId.ShouldBe(1034);
    }

    [Fact]
    public async Task Scopes_are_not_required_of_a_sign_in_and_roles_are()
    {
        _options.Application().RequiredScopes.Add("erp");
        _options.Application().RequiredRoles.Add("Clerk");

        (await MapAsync(Caller("IdToken", ("tid", FakeIssuer.Tenant), ("upn", "ada@contoso.com"), ("roles", "Clerk")))).Name
            .ShouldBe("ada@contoso.com");
        (await Should.ThrowAsync<KcdException>(() => MapAsync(
            Caller("IdToken", ("tid", FakeIssuer.Tenant), ("upn", "ada@contoso.com"))))).EventId.ShouldBe(1034);
    }

    [Theory]
    [InlineData("Domain Admins", "Admins")]
    [InlineData("Former Admins", "Former")]
    [InlineData("Admins Readers", "Admins")]
    [InlineData("admins", "Admins")]
    public async Task A_part_of_the_name_of_a_role_is_another_role(string role, string required)
    {
        _options.Application().RequiredRoles.Add(required);

        (await Should.ThrowAsync<KcdException>(() => MapAsync(WithRole(role)))).EventId.ShouldBe(1034);
        (await MapAsync(WithRole(required))).Name.ShouldBe("ada@contoso.com");

        static ClaimsPrincipal WithRole(string role) =>
            Caller("IdToken", ("tid", FakeIssuer.Tenant), ("upn", "ada@contoso.com"), ("roles", role));
    }

    [Fact]
    public async Task A_role_may_have_a_name_with_spaces()
    {
        _options.Application().RequiredRoles.Add("Domain Users");

        (await MapAsync(Caller(
            "IdToken", ("tid", FakeIssuer.Tenant), ("upn", "ada@contoso.com"), ("roles", "Domain Users")))).Name
            .ShouldBe("ada@contoso.com");
    }

    [Fact]
    public async Task A_claim_of_an_identity_that_is_not_authenticated_gives_no_right()
    {
        _options.Application().RequiredRoles.Add("Clerk");
        var caller = Caller("Bearer", ("tid", FakeIssuer.Tenant), ("upn", "ada@contoso.com"), ("scp", "x"));
        caller.AddIdentity(new ClaimsIdentity([new Claim("roles", "Clerk")]));

        (await Should.ThrowAsync<KcdException>(() => MapAsync(caller))).EventId.ShouldBe(1034);
    }

    private static ClaimsPrincipal Caller(string type, params (string Type, string Value)[] claims) =>
        new(new ClaimsIdentity(claims.Select(claim => new Claim(claim.Type, claim.Value)), type));

    /// <summary>Creates the principal that a host with .NET's bearer authentication has.</summary>
    private async Task<ClaimsPrincipal> ReadAsync(JsonObject payload, bool isRenamed)
    {
        var result = await new JsonWebTokenHandler { MapInboundClaims = isRenamed }.ValidateTokenAsync(
            _issuer.Sign(FakeIssuer.Header(), payload),
            new TokenValidationParameters
            {
                ValidateIssuer = false,
                ValidateAudience = false,
                ValidateLifetime = false,
                IssuerSigningKey = new RsaSecurityKey(FakeIssuer.FirstKey) { KeyId = "key-1" },
            });
        result.Exception.ShouldBeNull();
        return new ClaimsPrincipal(result.ClaimsIdentity);
    }

    private async Task<KerberosPrincipal> MapAsync(ClaimsPrincipal caller)
    {
        SettingsParser.TryParse(_options, out var settings, out var errors).ShouldBeTrue(string.Join('\n', errors));
        var application = settings.ShouldNotBeNull().Applications["erp"];
        return await new GuardedMapper(new ClaimsIdentityMapper())
            .MapAsync(caller, application.Callers, application.Mapping, TestContext.Current.CancellationToken);
    }
}
