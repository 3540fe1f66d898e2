using System.Security.Claims;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Tests.Identity;

public sealed class ClaimsIdentityMapperTests
{
    private const string Tenant = "aaaaaaaa-2222-3333-4444-555555555555";

    private readonly KcdOptions _options = Samples.Options();

    // Most rules are the same with and without a tenant.
    public ClaimsIdentityMapperTests() => _options.Token = new TokenOptions();

    [Theory]
    [InlineData(LoginIdentity.UserPrincipalName, "upn", "ada@fabrikam.com", PrincipalNameType.Enterprise, "ada@fabrikam.com", null)]
    [InlineData(LoginIdentity.UserPrincipalName, "upn", "ada@contoso.com", PrincipalNameType.Enterprise, "ada@contoso.com", null)]
    [InlineData(LoginIdentity.UserPrincipalName, "upn", "ada@EU.contoso.com", PrincipalNameType.Enterprise, "ada@EU.contoso.com",
        "EU.CONTOSO.COM")]
    [InlineData(LoginIdentity.UserPrincipalName, ClaimTypes.Upn, "Ada.O'Hara@contoso.com", PrincipalNameType.Enterprise,
        "Ada.O'Hara@contoso.com", null)]
    [InlineData(LoginIdentity.OnPremisesUserPrincipalName, "onpremisesuserprincipalname", "ada@contoso.local", PrincipalNameType.Enterprise,
        "ada@contoso.local", null)]
    [InlineData(LoginIdentity.UserPrincipalUsername, "upn", "ada@contoso.com", PrincipalNameType.Principal, "ada", "CONTOSO.COM")]
    [InlineData(LoginIdentity.UserPrincipalUsername, "upn", "Ada@eu.contoso.com", PrincipalNameType.Principal, "Ada", "EU.CONTOSO.COM")]
    [InlineData(LoginIdentity.OnPremisesUserPrincipalUsername, "onpremisesuserprincipalname", "ada@Contoso.Com",
        PrincipalNameType.Principal, "ada", "CONTOSO.COM")]
    [InlineData(LoginIdentity.OnPremisesSamAccountName, "onprem_sam_account_name", "ada", PrincipalNameType.Principal, "ada",
        "CONTOSO.COM")]
    [InlineData(LoginIdentity.OnPremisesSamAccountName, "onpremisessamaccountname", "jörg müller", PrincipalNameType.Principal,
        "jörg müller", "CONTOSO.COM")]
    [InlineData(LoginIdentity.OnPremisesSamAccountName, ClaimTypes.WindowsAccountName, "ada", PrincipalNameType.Principal, "ada",
        "CONTOSO.COM")]
    public void A_login_identity_becomes_a_principal(
        LoginIdentity identity, string claim, string value, PrincipalNameType type, string name, string? realm)
    {
        _options.Application().LoginIdentity = identity;

        Map((claim, value)).ShouldBe(new KerberosPrincipal(type, name, realm));
    }

    [Fact]
    public void The_SID_of_the_token_is_passed_to_the_engine_for_comparison_with_the_ticket()
    {
        const string sid = "S-1-5-21-1004336348-1177238915-682003330-1103";

        Map(("onprem_sam_account_name", "ada"), ("onprem_sid", sid)).SecurityIdentifier.ShouldBe(sid);
        Map(("onprem_sam_account_name", "ada")).SecurityIdentifier.ShouldBeNull();
    }

    [Theory]
    [InlineData("dnsdomainname", "eu.contoso.com", "EU.CONTOSO.COM")]
    [InlineData("onpremisesdomainname", "EU.contoso.com", "EU.CONTOSO.COM")]
    [InlineData("netbiosname", "eu", "EU.CONTOSO.COM")]
    [InlineData("dnsdomainname", "contoso.com", "CONTOSO.COM")]
    public void A_claim_of_the_domain_says_the_realm(string claim, string domain, string realm)
    {
        _options.Application().UserRealm = null;
        _options.Realms["EU.CONTOSO.COM"].NetBiosName = "EU";

        Map(("onprem_sam_account_name", "joe"), (claim, domain)).ShouldBe(KerberosPrincipal.Principal("joe", realm));
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalUsername;
        Map(("upn", "joe@contoso.com"), (claim, domain)).ShouldBe(KerberosPrincipal.Principal("joe", realm));
    }

    [Theory]
    [InlineData("dnsdomainname", "us.contoso.com", 1045)]
    [InlineData("netbiosname", "EU", 1045)]
    [InlineData("netbiosname", "", 1045)]
    [InlineData("other", "eu.contoso.com", 1046)]
    public void Without_the_domain_of_a_listed_realm_a_name_is_refused(string claim, string domain, int id)
    {
        _options.Application().UserRealm = null;

        Refused(("onprem_sam_account_name", "joe"), (claim, domain)).EventId.ShouldBe(id);
    }

    [Fact]
    public void A_domain_that_is_not_listed_is_refused_with_one_realm_too()
    {
        _options.Realms.Clear();
        _options.Application().UserRealm = null;

        Map(("onprem_sam_account_name", "joe")).Realm.ShouldBe("CONTOSO.COM");
        Refused(("onprem_sam_account_name", "joe"), ("dnsdomainname", "eu.contoso.com")).EventId.ShouldBe(1045);
    }

    [Fact]
    public void Claims_and_suffixes_that_lead_to_different_realms_are_an_error()
    {
        Refused(("onprem_sam_account_name", "joe"), ("dnsdomainname", "eu.contoso.com"), ("onpremisesdomainname", "contoso.com"))
            .EventId.ShouldBe(1047);
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalUsername;
        Refused(("upn", "joe@eu.contoso.com"), ("dnsdomainname", "contoso.com")).EventId.ShouldBe(1047);
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalName;
        Refused(("upn", "joe@eu.contoso.com"), ("dnsdomainname", "contoso.com")).EventId.ShouldBe(1047);
    }

    [Fact]
    public void With_several_realms_the_suffix_of_the_account_s_realm_must_be_listed_or_UserRealm_set()
    {
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalUsername;
        _options.Application().UserRealm = null;
        Refused(("upn", "joe@contoso.com")).EventId.ShouldBe(1043);

        _options.Application().UserRealm = "EU.CONTOSO.COM";
        Map(("upn", "joe@contoso.com")).ShouldBe(KerberosPrincipal.Principal("joe", "EU.CONTOSO.COM"));
        Refused(("upn", "joe@evil.example")).EventId.ShouldBe(1043);
    }

    [Theory]
    [InlineData("onprem_sid")]
    [InlineData("onpremisessecurityidentifier")]
    [InlineData("onpremisesecurityidentifier")]
    public void An_application_may_require_the_SID(string claim)
    {
        const string sid = "S-1-5-21-1004336348-1177238915-682003330-1103";
        _options.Application().RequireSecurityIdentifier = true;

        Refused(("onprem_sam_account_name", "ada")).EventId.ShouldBe(1048);
        Map(("onprem_sam_account_name", "ada"), (claim, sid)).SecurityIdentifier.ShouldBe(sid);
    }

    [Fact]
    public void Different_SIDs_are_an_error() => Refused(
        ("onprem_sam_account_name", "ada"), ("onprem_sid", "S-1-5-21-1-2-3-1103"), ("onpremisessecurityidentifier", "S-1-5-21-1-2-3-1104"))
        .EventId.ShouldBe(1041);

    [Theory]
    [InlineData("")]
    [InlineData("1103")]
    [InlineData("S-1-5-21-x")]
    [InlineData("S-1-5-21-1\n")]
    public void A_malformed_SID_is_refused(string sid) =>
        Refused(("onprem_sam_account_name", "ada"), ("onprem_sid", sid)).Cause.ShouldContain("onprem_sid");

    [Fact]
    public void Users_without_a_suffix_belong_to_the_configured_realm()
    {
        _options.Application().UserRealm = "EU.CONTOSO.COM";

        Map(("onprem_sam_account_name", "ada")).Realm.ShouldBe("EU.CONTOSO.COM");
    }

    [Fact]
    public void An_application_with_its_own_account_looks_for_users_in_that_realm()
    {
        (_options.Application().Realm, _options.Application().UserRealm) = ("PARTNER.TEST", "PARTNER.TEST");
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalUsername;
        _options.Application().ServiceAccount = new ServiceAccountOptions { Name = "gw", Keytab = Samples.KeyFile };

        Map(("upn", "ada@partner.test")).ShouldBe(KerberosPrincipal.Principal("ada", "PARTNER.TEST"));
        Refused(("upn", "ada@contoso.com")).EventId.ShouldBe(1043);
    }

    [Fact]
    public void A_listed_suffix_takes_precedence_over_the_realm_of_the_same_name()
    {
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalUsername;
        _options.Realms["EU.CONTOSO.COM"].UserPrincipalSuffixes.Add("contoso.com");

        Map(("upn", "ada@contoso.com")).ShouldBe(KerberosPrincipal.Principal("ada", "EU.CONTOSO.COM"));
    }

    [Fact]
    public void A_username_part_of_an_unlisted_suffix_is_refused()
    {
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalUsername;

        var error = Refused(("upn", "ada@evil.example"));

        error.EventId.ShouldBe(1043);
        error.Cause.ShouldContain("evil.example");
        error.Remedy.ShouldContain("UserPrincipalSuffixes");
    }

    [Fact]
    public void A_username_part_needs_a_suffix()
    {
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalUsername;

        Refused(("upn", "ada")).EventId.ShouldBe(1042);
    }

    [Fact]
    public void A_principal_without_an_authenticated_identity_is_refused()
    {
        var anonymous = new ClaimsPrincipal(new ClaimsIdentity([new Claim("onprem_sam_account_name", "ada")]));

        var error = Should.Throw<KcdException>(() => Map(anonymous, Application()));

        (error.EventId, error.Stage, error.IsTransient).ShouldBe((13016, KcdStage.Identity, false));
    }

    [Fact]
    public void Claims_of_an_identity_that_has_not_authenticated_do_not_count()
    {
        var caller = new ClaimsPrincipal([
            new ClaimsIdentity([new Claim("sub", "1")], "Bearer"),
            new ClaimsIdentity([new Claim("onprem_sam_account_name", "ada")]),
        ]);

        Should.Throw<KcdException>(() => Map(caller, Application())).EventId.ShouldBe(13016);
    }

    [Fact]
    public void A_missing_claim_is_an_error_and_no_other_claim_replaces_it()
    {
        var error = Refused(("upn", "ada@contoso.com"), ("preferred_username", "ada"), ("sub", "ada"), ("ONPREM_SAM_ACCOUNT_NAME", "ada"));

        error.EventId.ShouldBe(13016);
        error.Cause.ShouldContain("\"onprem_sam_account_name\"");
    }

    [Fact]
    public void An_empty_claim_counts_as_missing() => Refused(("onprem_sam_account_name", "")).EventId.ShouldBe(13016);

    [Fact]
    public void A_duplicate_claim_is_an_error_even_with_one_value() =>
        Refused(("onprem_sam_account_name", "ada"), ("onprem_sam_account_name", "ada")).EventId.ShouldBe(1041);

    [Fact]
    public void Short_and_long_form_with_different_values_are_an_error() =>
        Refused(("onprem_sam_account_name", "ada"), (ClaimTypes.WindowsAccountName, "eve")).EventId.ShouldBe(1041);

    [Fact]
    public void Short_and_long_form_with_one_value_are_one_claim() =>
        Map(("onprem_sam_account_name", "ada"), (ClaimTypes.WindowsAccountName, "ada")).Name.ShouldBe("ada");

    [Fact]
    public void Two_signed_in_identities_with_the_same_claim_are_an_error()
    {
        var caller = new ClaimsPrincipal([
            new ClaimsIdentity([new Claim("onprem_sam_account_name", "ada")], "Bearer"),
            new ClaimsIdentity([new Claim("onprem_sam_account_name", "eve")], "Cookies"),
        ]);

        Should.Throw<KcdException>(() => Map(caller, Application())).EventId.ShouldBe(1041);
    }

    [Fact]
    public void A_configured_claim_is_the_only_one_that_is_read()
    {
        _options.Application().ClaimType = "directory_name";

        Map(("directory_name", "ada"), ("onprem_sam_account_name", "eve")).Name.ShouldBe("ada");
        Refused(("onprem_sam_account_name", "eve")).EventId.ShouldBe(13016);
    }

    [Fact]
    public void An_unsafe_claim_is_refused_again_when_it_is_read()
    {
        _options.Application().AllowUnsafeClaimType = true;
        _options.Application().ClaimType = "email";
        var context = new MappingContext { ApplicationName = "erp", Realm = "CONTOSO.COM", ClaimType = "email" };

        Map(("email", "ada")).Name.ShouldBe("ada");
        Should.Throw<KcdException>(
            () => new ClaimsIdentityMapper().MapAsync(Caller(("email", "eve@contoso.com")), context, CancellationToken.None).AsTask())
            .Cause.ShouldContain("email");
    }

    [Theory]
    [InlineData("acct", "1")]
    [InlineData("acct", "2")]
    public void Guests_are_refused_unless_allowed(string claim, string value)
    {
        Refused((claim, value), ("onprem_sam_account_name", "ada")).EventId.ShouldBe(1025);
        _options.Token.AllowGuests = true;
        Map((claim, value), ("onprem_sam_account_name", "ada")).Name.ShouldBe("ada");
    }

    [Fact]
    public void A_guest_is_also_recognized_by_the_name()
    {
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalName;

        Refused(("upn", "eve_evil.example#EXT#@contoso.com")).EventId.ShouldBe(1025);
    }

    [Fact]
    public void Members_are_accepted() => Map(("acct", "0"), ("idtyp", "user"), ("onprem_sam_account_name", "ada")).Name.ShouldBe("ada");

    [Fact]
    public void Applications_without_a_user_are_refused_unless_allowed()
    {
        Refused(("idtyp", "app"), ("onprem_sam_account_name", "ada")).EventId.ShouldBe(1026);
        _options.Token.AllowApplicationTokens = true;
        Map(("idtyp", "app"), ("onprem_sam_account_name", "ada")).Name.ShouldBe("ada");
    }

    [Theory]
    [InlineData("tid")]
    [InlineData("http://schemas.microsoft.com/identity/claims/tenantid")]
    public void A_caller_of_another_tenant_is_refused(string claim)
    {
        _options.Token.TenantId = Tenant;

        Refused((claim, "99999999-2222-3333-4444-555555555555"), ("onprem_sam_account_name", "ada")).EventId.ShouldBe(1023);
        Map((claim, Tenant), ("onprem_sam_account_name", "ada")).Name.ShouldBe("ada");
        Map((claim, Tenant.ToUpperInvariant()), ("onprem_sam_account_name", "ada")).Name.ShouldBe("ada");
    }

    [Fact]
    public void A_caller_who_names_no_tenant_is_refused_where_one_is_required()
    {
        _options.Token = new TokenOptions { TenantId = Tenant };

        var error = Refused(("onprem_sam_account_name", "ada"));

        error.EventId.ShouldBe(1023);
        error.Cause.ShouldContain("tid");
        Map(("tid", Tenant), ("onprem_sam_account_name", "ada")).Name.ShouldBe("ada");
    }

    [Theory]
    [InlineData("krbtgt")]
    [InlineData("KRBTGT")]
    [InlineData("krbtgt_21345")]
    [InlineData("krbtģt")]
    public void The_KDC_is_never_delegated(string name)
    {
        _options.Application().AllowBuiltInAccounts = true;

        Refused(("onprem_sam_account_name", name)).EventId.ShouldBe(1044);
    }

    [Theory]
    [InlineData("Administrator")]
    [InlineData("ADMINISTRATOR")]
    [InlineData("Ádministrator")]
    [InlineData("аdministrator")]
    [InlineData("Āḋṁīñīṣṯṛāṯōṛ")]
    [InlineData("Adminʻistrator")]
    [InlineData("Administratօ\u0559r")]
    [InlineData("Administrateur")]
    [InlineData("guest")]
    [InlineData("Invite")]
    [InlineData("Invité")]
    [InlineData("Administratör")]
    [InlineData("Järjestelmänvalvoja")]
    [InlineData("гость")]
    [InlineData("DC1$")]
    public void Built_in_and_computer_accounts_are_refused_unless_allowed(string name)
    {
        Refused(("onprem_sam_account_name", name)).EventId.ShouldBe(1044);
        _options.Application().AllowBuiltInAccounts = true;
        Map(("onprem_sam_account_name", name)).Name.ShouldBe(name);
    }

    [Theory]
    [InlineData("alice")]
    [InlineData("grace")]
    [InlineData("Мария")]
    [InlineData("Борис")]
    [InlineData("Göran")]
    [InlineData("加藤")]
    [InlineData("佐々木")]
    [InlineData("ハーバー")]
    [InlineData("ʻokina")]
    [InlineData("ธีระ")]
    [InlineData("राम")]
    public void Other_names_of_the_same_length_do_not_count_as_built_in(string name) =>
        Map(("onprem_sam_account_name", name)).Name.ShouldBe(name);

    [Theory]
    [InlineData("joe@contoso.com", "joe@contoso.usa", "EU.CONTOSO.COM")]
    [InlineData("joe@Contoso.COM", "joe@contoso.usa", "EU.CONTOSO.COM")]
    // Rewritten once only, and no part of a suffix.
    [InlineData("joe@contoso.usa", "joe@contoso.usa", "EU.CONTOSO.COM")]
    [InlineData("joe@us.contoso.com", "joe@us.contoso.com", null)]
    public void A_suffix_is_replaced_by_the_one_of_the_directory(string name, string principal, string? realm)
    {
        _options.Realms["EU.CONTOSO.COM"].RewriteSuffixes["contoso.com"] = "contoso.usa";
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalName;

        var mapped = Map(("upn", name));
        (mapped.Type, mapped.Name, mapped.Realm).ShouldBe((PrincipalNameType.Enterprise, principal, realm));
    }

    [Fact]
    public void The_user_of_a_rewritten_suffix_has_its_account_in_the_realm_of_the_rule()
    {
        _options.Realms["EU.CONTOSO.COM"].RewriteSuffixes["fabrikam.com"] = "fabrikam.usa";
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalUsername;

        var mapped = Map(("upn", "joe@fabrikam.com"));
        (mapped.Name, mapped.Realm).ShouldBe(("joe", "EU.CONTOSO.COM"));
    }

    [Theory]
    [InlineData("administrator@contoso.com")]
    [InlineData("dc1$@contoso.com")]
    [InlineData("krbtgt@contoso.com")]
    public void Built_in_accounts_are_also_refused_before_an_at_sign(string name)
    {
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalName;
        Refused(("upn", name)).EventId.ShouldBe(1044);
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalUsername;
        Refused(("upn", name)).EventId.ShouldBe(1044);
    }

    [Theory]
    [InlineData("CONTOSO\\ada")]
    [InlineData("ada/admin")]
    [InlineData("ada@contoso.com")]
    [InlineData("a\U000E0041da")]
    [InlineData("a\ufe0fda")]
    [InlineData("1\u0301")]
    [InlineData("admin\u0e35")]
    [InlineData("ºada")]
    [InlineData("\u1112\u1161\u11ab")]
    [InlineData("ada\0")]
    [InlineData("ada\r\nX")]
    [InlineData("ada\u202e")]
    [InlineData("a\u200bda")]
    [InlineData("a\u00adda")]
    [InlineData("a\u3164da")]
    [InlineData("a\u034fda")]
    [InlineData("ada\u0301")]
    [InlineData("ａda")]
    [InlineData("ﬁda")]
    [InlineData("\U0001d44eda")]
    [InlineData("ada ")]
    [InlineData(" ada")]
    [InlineData("ada.")]
    [InlineData("ada\u00a0x")]
    [InlineData("\ud800ada")]
    [InlineData("ada*")]
    [InlineData("a=b")]
    [InlineData("[\"ada\"]")]
    [InlineData("twenty-one-characters")]
    public void A_name_that_could_be_read_as_another_is_refused(string name) =>
        Refused(("onprem_sam_account_name", name)).EventId.ShouldBe(1042);

    [Theory]
    [InlineData("ada@contoso.com@evil.example")]
    [InlineData("@contoso.com")]
    [InlineData("ada@")]
    [InlineData("ada@contoso.com.")]
    [InlineData("ada@.contoso.com")]
    [InlineData("ada@contoso..com")]
    [InlineData("ada@conto so.com")]
    [InlineData("ada@cоntoso.com")]
    [InlineData("ada @contoso.com")]
    [InlineData("ada\u200f@contoso.com")]
    [InlineData("http/web@contoso.com")]
    public void A_user_principal_name_that_could_be_read_as_another_is_refused(string name)
    {
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalName;

        Refused(("upn", name)).EventId.ShouldBe(1042);
    }

    [Fact]
    public void Excessive_lengths_are_refused()
    {
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalName;

        Refused(("upn", new string('a', 65) + "@contoso.com")).EventId.ShouldBe(1042);
        Refused(("upn", "ada@" + new string('a', 256))).EventId.ShouldBe(1042);
    }

    [Fact]
    public void A_refusal_prints_no_control_character_of_the_name()
    {
        var error = Refused(("onprem_sam_account_name", "ada\r\n\u202eevil"));

        error.Message.ShouldContain("<U+000D><U+000A><U+202E>");
        error.Message.ShouldNotContain("\n");
    }

    [Fact]
    public void A_request_is_mapped_by_the_settings_under_which_it_began()
    {
        _options.Application().LoginIdentity = LoginIdentity.UserPrincipalUsername;
        var before = Application();
        _options.Realm = "NEW.CONTOSO.COM";
        _options.Realms.Clear();
        _options.Token.AllowGuests = true;
        var after = Application();
        var caller = Caller(("acct", "0"), ("upn", "ada@eu.contoso.com"));

        Map(caller, before).Realm.ShouldBe("EU.CONTOSO.COM");
        Should.Throw<KcdException>(() => Map(caller, after)).EventId.ShouldBe(1043);
        Should.Throw<KcdException>(() => Map(Caller(("acct", "1"), ("upn", "ada@eu.contoso.com")), before)).EventId.ShouldBe(1025);
    }

    [Fact]
    public void Mapping_a_caller_allocates_at_most_400_bytes()
    {
        _options.Token.TenantId = Tenant;
        var application = Application();
        var others = Enumerable.Range(0, 15).Select(number => ($"claim{number}", "value"));
        var caller = Caller([.. others, ("tid", Tenant), ("acct", "0"), ("idtyp", "user"), ("onprem_sam_account_name", "ada")]);
        for (var round = 0; round < 100; round++)
            Map(caller, application);

        Allocations.Measure(calls: 10, () => Map(caller, application)).ShouldBeLessThanOrEqualTo(10 * 400);
    }

    private KcdSettings Settings()
    {
        SettingsParser.TryParse(_options, out var settings, out var errors).ShouldBeTrue(string.Join('\n', errors));
        return settings.ShouldNotBeNull();
    }

    private ApplicationSettings Application() => Settings().Applications["erp"];

    /// <summary>Maps as the client does. The default mapper always completes synchronously.</summary>
    private static KerberosPrincipal Map(ClaimsPrincipal caller, ApplicationSettings application)
    {
        var mapping = new GuardedMapper(new ClaimsIdentityMapper())
            .MapAsync(caller, application.Callers, application.Mapping, TestContext.Current.CancellationToken);
        return mapping.IsCompleted ? mapping.Result : throw new InvalidOperationException("The default mapper waits for something.");
    }

    private KerberosPrincipal Map(params (string Type, string Value)[] claims) => Map(Caller(claims), Application());

    private KcdException Refused(params (string Type, string Value)[] claims)
    {
        var error = Should.Throw<KcdException>(() => Map(claims));
        error.Stage.ShouldBe(KcdStage.Identity);
        return error;
    }

    private static ClaimsPrincipal Caller(params (string Type, string Value)[] claims) =>
        new(new ClaimsIdentity(claims.Select(claim => new Claim(claim.Type, claim.Value)), "Bearer"));
}
