using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Tests.Settings;

public sealed class SettingsParserTests
{
    /// <summary>A file that exists, as those of accounts must. Its content is not read.</summary>
    private static readonly string OtherKeyFile = typeof(SettingsParserTests).Assembly.Location;

    [Fact]
    public void Valid_options_become_settings_with_parsed_values()
    {
        var settings = Parsed(Samples.Options());

        var erp = settings.Applications["ERP"];
        erp.Service.ShouldBe(ServicePrincipalName.Parse("HTTP/erp.contoso.com"));
        erp.TokenFormat.ShouldBe(TokenFormat.Spnego);
        erp.ChannelBinding.ShouldBeTrue();
        erp.Client.Realm.ShouldBe("CONTOSO.COM");
        erp.Client.AccountName.ShouldBe("CONNECTOR$");
        erp.Client.Kdcs.ByRealm.Keys.ShouldBe(["CONTOSO.COM", "EU.CONTOSO.COM"]);
        erp.Client.Kdcs.ByRealm["CONTOSO.COM"].ShouldBe([new KdcEndpoint("dc1.contoso.com")]);
        settings.Token.ShouldNotBeNull().DiscoveryDocument.AbsoluteUri.ShouldBe(
            "https://login.example/tenant/v2.0/.well-known/openid-configuration");
        erp.Mapping.UserPrincipalSuffixes["EU.contoso.com"].ShouldBe("EU.CONTOSO.COM");
    }

    [Fact]
    public void Limits_of_connections_are_those_of_the_application_or_the_common_ones()
    {
        var options = Samples.Options();
        Parsed(options).Applications["erp"].Connections.ShouldBe(new ConnectionLimits(10_000, 256, TimeSpan.FromSeconds(10)));
        (options.MaxUsers, options.MaxConnectionsPerUser, options.MaxConnectionWait) = (500, 20, TimeSpan.FromSeconds(3));
        Parsed(options).Applications["erp"].Connections.ShouldBe(new ConnectionLimits(500, 20, TimeSpan.FromSeconds(3)));
        var erp = options.Application();
        (erp.MaxUsers, erp.MaxConnectionsPerUser, erp.MaxConnectionWait) = (7, 2, TimeSpan.FromSeconds(1));
        Parsed(options).Applications["erp"].Connections.ShouldBe(new ConnectionLimits(7, 2, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Settings_do_not_follow_later_changes_of_the_options()
    {
        var options = Samples.Options();
        var settings = Parsed(options);

        options.Application().ClaimType = "email";
        options.Application().InternalUrl = null;

        settings.Applications["erp"].Mapping.ClaimType.ShouldBeNull();
        settings.Applications["erp"].InternalUrl!.Host.ShouldBe("erp.contoso.com");
    }

    [Fact]
    public void All_errors_are_reported_together()
    {
        var options = Samples.Options();
        options.Realm = null;
        options.Kdcs.Clear();
        options.Token.Audience = " ";
        options.Application().InternalUrl = new Uri("http://erp.contoso.com/");
        options.Application().ServicePrincipalName = "erp";

        var errors = Errors(options);

        errors.Count.ShouldBe(4);
        errors.ShouldAllBe(error => error.StartsWith("Kcd:", StringComparison.Ordinal) && error.EndsWith('.'));
    }

    [Fact]
    public void An_account_that_changes_its_own_password_has_password_servers_with_their_own_port()
    {
        var options = Samples.Options();
        Parsed(options).Applications["erp"].Client.PasswordRoll.ShouldBeNull();
        options.ServiceAccount = RollingAccount(new PasswordRollSettings { Servers = { "dc1", "udp/dc2:10464" } });
        var client = Parsed(options).Applications["erp"].Client;
        client.PasswordRoll.ShouldNotBeNull().Servers.ShouldBe(
            [new KdcEndpoint("dc1", 464), new KdcEndpoint("dc2", 10464, KdcTransport.Udp)]);
        (client.PasswordRoll!.Interval, client.PasswordRoll.OldKeyLifetime).ShouldBe((TimeSpan.FromDays(7), TimeSpan.FromDays(1)));
        // Equal settings share one client, so that a reload without a change does not open another one.
        client.ShouldBe(Parsed(options).Applications["erp"].Client);
    }

    private static ServiceAccountOptions RollingAccount(PasswordRollSettings roll) =>
        new() { Name = "CONNECTOR$", PasswordFile = Samples.KeyFile, PasswordRoll = roll };

    public static TheoryData<string, string, Action<KcdOptions>> InvalidOptions => new()
    {
        { "Kcd:Realm", "not a realm", o => o.Realm = "CONTOSO COM" },
        { "Kcd:Realm", "is missing", o => (o.Realm, _) = (null, Emptied(o.Kdcs)) },
        { "Kcd:Kdcs", "KDCs of no realm", o =>
            (o.Realm, o.Application().Realm, o.Application().ServiceAccount) =
            (null, "EU.COM", new ServiceAccountOptions { Name = "a", Keytab = Samples.KeyFile }) },
        { "Kcd:Kdcs:1", "\"dc1:0\" is not a KDC", o => o.Kdcs.Add("dc1:0") },
        { "Kcd:Realms:CONTOSO.COM:Kdcs", "also listed elsewhere", o => o.Realms["CONTOSO.COM"] = new RealmOptions { Kdcs = { "dc9" } } },
        { "Kcd:Realms:EU.CONTOSO.COM:UserPrincipalSuffixes:1", "characters other than", o =>
            o.Realms["EU.CONTOSO.COM"].UserPrincipalSuffixes.Add("@eu") },
        { "Kcd:Realms:EU.CONTOSO.COM:UserPrincipalSuffixes:1", "ends with a dot", o =>
            o.Realms["EU.CONTOSO.COM"].UserPrincipalSuffixes.Add("eu.") },
        { "Kcd:Realms:US.CONTOSO.COM:UserPrincipalSuffixes:0", "listed under EU.CONTOSO.COM", o =>
            o.Realms["US.CONTOSO.COM"] = new RealmOptions { UserPrincipalSuffixes = { "EU.contoso.com" } } },
        { "Kcd:Realms:EU.CONTOSO.COM:RewriteSuffixes:a b", "is not a suffix", o =>
            o.Realms["EU.CONTOSO.COM"].RewriteSuffixes["a b"] = "contoso.usa" },
        { "Kcd:Realms:EU.CONTOSO.COM:RewriteSuffixes:contoso.org", "is not a suffix", o =>
            o.Realms["EU.CONTOSO.COM"].RewriteSuffixes["contoso.org"] = "@contoso.usa" },
        { "Kcd:Realms:US.CONTOSO.COM:RewriteSuffixes:EU.contoso.com", "listed under EU.CONTOSO.COM", o =>
            o.Realms["US.CONTOSO.COM"] = new RealmOptions { RewriteSuffixes = { ["EU.contoso.com"] = "contoso.usa" } } },
        { "Kcd:Realms:US.CONTOSO.COM:RewriteSuffixes:contoso.org", "listed under EU.CONTOSO.COM", o =>
            o.Realms["US.CONTOSO.COM"] = new RealmOptions { RewriteSuffixes = { ["contoso.org"] = "eu.contoso.com" } } },
        { "Kcd:Realms:EU.CONTOSO.COM:RewriteSuffixes:contoso.org", "which is rewritten too", o =>
            (o.Realms["EU.CONTOSO.COM"].RewriteSuffixes["contoso.org"], o.Realms["EU.CONTOSO.COM"].RewriteSuffixes["contoso.net"]) =
            ("contoso.net", "contoso.usa") },
        { "Kcd:MaxUsers", "0 is not a positive number", o => o.MaxUsers = 0 },
        { "Kcd:MaxConnectionsPerUser", "-1 is not a positive number", o => o.MaxConnectionsPerUser = -1 },
        { "Kcd:MaxConnectionWait", "00:00:00 is not a time", o => o.MaxConnectionWait = TimeSpan.Zero },
        { "Kcd:MaxConnectionWait", "1.00:00:00 is not a time", o => o.MaxConnectionWait = TimeSpan.FromDays(1) },
        { "Kcd:Applications:erp:MaxUsers", "0 is not a positive number", o => o.Application().MaxUsers = 0 },
        { "Kcd:Applications:erp:MaxConnectionsPerUser", "0 is not a positive number", o => o.Application().MaxConnectionsPerUser = 0 },
        { "Kcd:Applications:erp:MaxConnectionWait", "-00:00:01 is not a time", o =>
            o.Application().MaxConnectionWait = TimeSpan.FromSeconds(-1) },
        { "Kcd:Applications:erp:RequireChannelBinding", "ChannelBinding is false", o =>
            (o.Application().RequireChannelBinding, o.Application().ChannelBinding) = (true, false) },
        { "Kcd:Applications:erp:RequireChannelBinding", "is plain http", o =>
            (o.Application().RequireChannelBinding, o.Application().AllowPlainHttp, o.Application().InternalUrl) =
            (true, true, new Uri("http://erp.contoso.com/")) },
        { "Kcd:ServiceAccount:Name", "is missing", o => o.ServiceAccount.Name = null },
        { "Kcd:ServiceAccount:Name", @"it contains \", o => o.ServiceAccount.Name = @"CONTOSO\CONNECTOR$" },
        { "Kcd:ServiceAccount:Name", "it is empty", o => o.ServiceAccount.Name = "HTTP/" },
        { "Kcd:ServiceAccount:Name", "it contains @", o => o.ServiceAccount.Name = "CONNECTOR$@CONTOSO.COM" },
        { "Kcd:ServiceAccount:Keytab", "is missing", o => o.ServiceAccount.Keytab = null },
        { "Kcd:ServiceAccount:Keytab", "together with PasswordFile", o => o.ServiceAccount.PasswordFile = Samples.KeyFile },
        { "Kcd:Token:Authority", "is missing", o => o.Token.Authority = null },
        { "Kcd:Token:Authority", "neither https nor", o => o.Token.Authority = "http://login.example/" },
        { "Kcd:Token:Authority", "neither https nor", o => o.Token.Authority = "http://localhost.example/" },
        { "Kcd:Token:Authority", "not the address", o => o.Token.Authority = "login.example" },
        { "Kcd:Token:Authority", "not the address", o => o.Token.Authority = "https://login.example/?tenant=1" },
        { "Kcd:Token:Authority", "not the address", o =>
            o.Token.Authority = "https://login.example/?appid=11111111-2222-3333-4444-555555555555" },
        { "Kcd:Token:Authority", "not the address", o => o.Token.Authority = "https://login.microsoftonline.com/x/v2.0?appid=me" },
        { "Kcd:Token:Authority", "not the address", o =>
            o.Token.Authority = "https://login.microsoftonline.com/x/v2.0?tenant=11111111-2222-3333-4444-555555555555" },
        { "Kcd:Token:Authority", "not the address", o =>
            o.Token.Authority = "https://login.microsoftonline.com/x/v2.0?appid=11111111-2222-3333-4444-555555555555&p=1" },
        { "Kcd:Token:Authority", "every tenant", o => o.Token.Authority = "https://login.microsoftonline.com/common/v2.0" },
        { "Kcd:Token:Audience", "is missing", o => o.Token.Audience = null },
        { "Kcd:Token:TenantId", "is blank", o => o.Token.TenantId = "" },
        { "Kcd:Token:TenantId", "is blank", o => o.Token = new TokenOptions { TenantId = " " } },
        { "Kcd:Token:TenantId", "is missing", o =>
            (o.Token.Authority, o.Token.TenantId) = ("https://login.microsoftonline.com/x/v2.0", null) },
        { "Kcd:Token:TenantId", "not a tenant id", o =>
            (o.Token.Authority, o.Token.TenantId) = ("https://login.microsoftonline.com/x/v2.0", "contoso.onmicrosoft.com") },
        { "Kcd:Token:Issuer", "does not pin", o => o.Token.Issuer = "https://login.example/{tenantid}/v2.0" },
        { "Kcd:Applications:erp:UserRealm", "several realms are configured (CONTOSO.COM, EU.CONTOSO.COM)", o =>
            (o.Application().UserRealm, _) = (null, Emptied(o.Realms["EU.CONTOSO.COM"].UserPrincipalSuffixes)) },
        { "Kcd:Realms:US.CONTOSO.COM:NetBiosName", "also the name of EU.CONTOSO.COM", o =>
            (o.Realms["EU.CONTOSO.COM"].NetBiosName, o.Realms["US.CONTOSO.COM"]) = ("EU", new RealmOptions { NetBiosName = "eu" }) },
        { "Kcd:MaxEvidenceAge", "outside of the range", o => o.MaxEvidenceAge = TimeSpan.Zero },
        { "Kcd:MaxTicketAge", "outside of the range", o => o.MaxTicketAge = TimeSpan.FromMinutes(-1) },
        { "Kcd:MaxEvidenceAge", "\"8.00:00:00\" is outside", o => o.MaxEvidenceAge = TimeSpan.FromDays(8) },
        { "Kcd:TicketTimeout", "outside of the range", o => o.TicketTimeout = TimeSpan.Zero },
        { "Kcd:TicketTimeout", "outside of the range", o => o.TicketTimeout = TimeSpan.FromDays(2) },
        { "Kcd:MaxClockCorrection", "outside of the range", o => o.MaxClockCorrection = TimeSpan.FromSeconds(-1) },
        { "Kcd:MinimumRemainingLife", "outside of the range", o => o.MinimumRemainingLife = TimeSpan.FromSeconds(-1) },
        { "Kcd:RefreshAhead", "outside of the range", o => o.RefreshAhead = TimeSpan.FromDays(2) },
        { "Kcd:RefusalLife", "outside of the range", o => o.RefusalLife = TimeSpan.FromDays(2) },
        { "Kcd:MaxCacheEntries", "\"0\" is outside of the range 1 to", o => o.MaxCacheEntries = 0 },
        { "Kcd:MaxCacheBytes", "outside of the range", o => o.MaxCacheBytes = 0 },
        { "Kcd:MaxConcurrentExchanges", "outside of the range", o => o.MaxConcurrentExchanges = 0 },
        { "Kcd:MaxQueuedExchanges", "outside of the range", o => o.MaxQueuedExchanges = -1 },
        { "Kcd:Realm", "Write CONTOSO.COM", o => o.Realm = "contoso.com" },
        { "Kcd:Realms:eu.contoso.com", "Write EU.CONTOSO.COM", o => Move(o.Realms, "EU.CONTOSO.COM", "eu.contoso.com") },
        { "Kcd:Applications:erp:UserRealm", "Write EU.CONTOSO.COM", o => o.Application().UserRealm = "Eu.Contoso.Com" },
        { "Kcd:Applications:erp:Realm", "Write EU.CONTOSO.COM", o =>
            (o.Application().Realm, o.Application().ServiceAccount) =
            ("eu.contoso.com", new ServiceAccountOptions { Name = "a", Keytab = Samples.KeyFile }) },
        { "Kcd:ServiceAccount:Keytab", "does not exist", o => o.ServiceAccount.Keytab = "/nowhere/connector.keytab" },
        { "Kcd:ServiceAccount:Keytab", "the current directory, \"", o => o.ServiceAccount.Keytab = "no-such.keytab" },
        { "Kcd:ServiceAccount:Keytab", "is a directory", o => o.ServiceAccount.Keytab = Path.GetTempPath() },
        { "Kcd:ServiceAccount:PasswordFile", "does not exist", o =>
            o.ServiceAccount = new ServiceAccountOptions { Name = "a", PasswordFile = "/nowhere/password" } },
        { "Kcd:Applications:erp:ServiceAccount:Keytab", "does not exist", o =>
            o.Application().ServiceAccount = new ServiceAccountOptions { Name = "a", Keytab = "/nowhere/connector.keytab" } },
        { "Kcd:Applications", "is empty", o => o.Applications.Clear() },
        { "Kcd:Applications:crm", "is empty", o => o.Applications["crm"] = null! },
        { "Kcd:Applications:erp:InternalUrl", "is missing", o => o.Application().InternalUrl = null },
        { "Kcd:Applications:erp:InternalUrl", "not an http", o => o.Application().InternalUrl = new Uri("ftp://erp.contoso.com/") },
        { "Kcd:Applications:erp:InternalUrl", "not an http", o =>
            o.Application().InternalUrl = new Uri("erp.contoso.com", UriKind.Relative) },
        { "Kcd:Applications:erp:InternalUrl", "a user, a query", o => o.Application().InternalUrl = new Uri("https://a@erp.contoso.com/") },
        { "Kcd:Applications:erp:InternalUrl", "Kcd:Applications:erp:AllowPlainHttp", o =>
            o.Application().InternalUrl = new Uri("http://erp.contoso.com/") },
        { "Kcd:Applications:erp:ServicePrincipalName", "13020", o => o.Application().ServicePrincipalName = null },
        { "Kcd:Applications:erp:ServicePrincipalName", "not a service principal name", o =>
            o.Application().ServicePrincipalName = "erp.contoso.com" },
        { "Kcd:Applications:erp:ServicePrincipalName", "KDC itself", o => o.Application().ServicePrincipalName = "krbtgt/CONTOSO.COM" },
        { "Kcd:Applications:erp:ServicePrincipalName", "KDC itself", o =>
            (o.Application().ServicePrincipalName, o.Application().AllowServiceClass) = ("KrbTgt/CONTOSO.COM", true) },
        { "Kcd:Applications:erp:ServicePrincipalName", "KDC itself", o =>
            (o.Application().ServicePrincipalName, o.Application().AllowServiceClass) = ("kadmin/changepw", true) },
        { "Kcd:Applications:erp:ServicePrincipalName", "Kcd:Applications:erp:AllowServiceClass", o =>
            o.Application().ServicePrincipalName = "cifs/files.contoso.com" },
        { "Kcd:Applications:erp:ServicePrincipalName", "another class than HTTP", o =>
            o.Application().ServicePrincipalName = "ldap/dc1.contoso.com/contoso.com" },
        { "Kcd:Applications:erp:ServicePrincipalName", "another class than HTTP", o =>
            o.Application().ServicePrincipalName = "host/erp.contoso.com" },
        { "Kcd:Applications:erp:ServicePrincipalName", "Write HTTP/erp.contoso.com.", o =>
            o.Application().ServicePrincipalName = "https/erp.contoso.com" },
        { "Kcd:Applications:erp:ServicePrincipalName", "Write HTTP/erp.contoso.com, or", o =>
            o.Application().ServicePrincipalName = "HTTP/erp.contoso.com:8443" },
        { "Kcd:Applications:erp:ServicePrincipalName", "Write CONTOSO.COM", o =>
            o.Application().ServicePrincipalName = "HTTP/erp.contoso.com@contoso.com" },
        { "Kcd:Applications:erp:UserRealm", "not a realm", o => o.Application().UserRealm = "EU..COM" },
        { "Kcd:Applications:erp:Realm", "not a realm", o =>
            (o.Application().Realm, o.Application().ServiceAccount) =
            ("EU/COM", new ServiceAccountOptions { Name = "a", Keytab = Samples.KeyFile }) },
        { "Kcd:Applications:erp:ServiceAccount", "its own realm", o => o.Application().Realm = "EU.CONTOSO.COM" },
        { "Kcd:Applications:erp:ServiceAccount:Name", "is missing", o =>
            o.Application().ServiceAccount = new ServiceAccountOptions { Keytab = Samples.KeyFile } },
        { "Kcd:Applications:erp:ClaimType", "can be set by users", o => o.Application().ClaimType = "Preferred_Username" },
        { "Kcd:Applications:erp:ClaimType", "is blank", o => o.Application().ClaimType = " " },
        { "Kcd:Applications:erp:LoginIdentity", "OnPremisesSamAccountName", o => o.Application().LoginIdentity = (LoginIdentity)9 },
        { "Kcd:Applications:erp:TokenFormat", "Spnego", o => o.Application().TokenFormat = (TokenFormat)9 },
        { "Kcd:Applications:erp:Start", "OnChallenge", o => o.Application().Start = (AuthenticationStart)9 },
        { "Kcd:Applications:erp:MutualAuthentication", "Required", o => o.Application().MutualAuthentication = (MutualAuthentication)9 },
        { "Kcd:Applications:erp:MutualAuthentication", "Kcd:Applications:erp:Start OnChallenge", o =>
            (o.Application().Start, o.Application().MutualAuthentication) =
            (AuthenticationStart.OnChallenge, MutualAuthentication.Required) },
        { "Kcd:Applications:erp:ShareConnectionsBetweenUsers", "Kcd:Applications:erp:Start OnChallenge", o =>
            (o.Application().Start, o.Application().ShareConnectionsBetweenUsers) = (AuthenticationStart.OnChallenge, true) },
        { "Kcd:ServiceAccount:PasswordRoll", "is set together with Keytab", o =>
            o.ServiceAccount.PasswordRoll = new PasswordRollSettings() },
        { "Kcd:ServiceAccount:PasswordRoll:Interval", "00:59:00 is out of range", o => o.ServiceAccount =
            RollingAccount(new PasswordRollSettings { Interval = TimeSpan.FromMinutes(59) }) },
        { "Kcd:ServiceAccount:PasswordRoll:OldKeyLifetime", "is out of range", o => o.ServiceAccount =
            RollingAccount(new PasswordRollSettings { OldKeyLifetime = TimeSpan.FromSeconds(-1) }) },
        { "Kcd:ServiceAccount:PasswordRoll:Servers:1", "\"dc1:0\" is not a password server", o => o.ServiceAccount =
            RollingAccount(new PasswordRollSettings { Servers = { "dc1", "dc1:0" } }) },
        { "Kcd:Applications:crm:ServiceAccount", "uses another key file", o =>
            Add(o, "crm").ServiceAccount = new ServiceAccountOptions { Name = "CONNECTOR$", Keytab = OtherKeyFile } },
    };

    [Theory]
    [MemberData(nameof(InvalidOptions), DisableDiscoveryEnumeration = true)]
    public void An_error_is_reported_under_its_key(string key, string problem, Action<KcdOptions> make)
    {
        var options = Samples.Options();
        make(options);

        var error = Errors(options).ShouldHaveSingleItem();

        error.ShouldStartWith(key + " ");
        error.ShouldContain(problem);
    }

    [Theory]
    [InlineData("cifs/files.contoso.com")]
    [InlineData("MSSQLSvc/db.contoso.com:1433")]
    [InlineData("HTTP/erp.contoso.com:8443")]
    public void Another_service_class_and_a_port_are_accepted_where_they_are_allowed(string name)
    {
        var options = Samples.Options();
        (options.Application().ServicePrincipalName, options.Application().AllowServiceClass) = (name, true);

        Parsed(options).Applications["erp"].Service.ToString().ShouldBe(name);
    }

    [Theory]
    [InlineData("http/erp.contoso.com")]
    [InlineData("HTTP/erp.contoso.com@CONTOSO.COM")]
    public void The_class_of_web_servers_is_compared_without_case(string name)
    {
        var options = Samples.Options();
        options.Application().ServicePrincipalName = name;

        Parsed(options).Applications["erp"].Service.ToString().ShouldBe(name);
    }

    [Fact]
    public void A_password_in_the_position_of_its_file_is_not_shown()
    {
        var options = Samples.Options();
        options.ServiceAccount = new ServiceAccountOptions { Name = "a", PasswordFile = "correct horse" };

        Errors(options).ShouldHaveSingleItem().ShouldNotContain("horse");
    }

    [Theory]
    [InlineData("BQIAAABPAAEADENPTlRPU08uVEVTVA==")]
    [InlineData("/u8AAABPAAEADENPTlRPU08uVEVTVA==")]
    [InlineData("/tmpu/8AAABPAAEADENPTlRPU08uVEVTVA==")]
    [InlineData("correct horse")]
    public void A_secret_in_the_position_of_the_path_of_a_keytab_is_not_shown(string value)
    {
        var options = Samples.Options();
        options.ServiceAccount = new ServiceAccountOptions { Name = "a", Keytab = value };

        var error = Errors(options).ShouldHaveSingleItem();
        error.ShouldNotContain(value);
        error.ShouldContain("The value is not shown");
    }

    [Fact]
    public void The_path_of_a_missing_keytab_in_a_directory_that_exists_is_shown()
    {
        var options = Samples.Options();
        var path = Path.Combine(AppContext.BaseDirectory, "gateway");
        options.ServiceAccount = new ServiceAccountOptions { Name = "a", Keytab = path };

        Errors(options).ShouldHaveSingleItem().ShouldContain(path);
    }

    [Fact]
    public void The_limits_of_the_engine_are_those_of_the_options()
    {
        var options = Samples.Options();
        (options.TicketTimeout, options.MaxClockCorrection) = (TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(4));
        (options.MaxCacheEntries, options.MaxCacheBytes) = (5, 6);
        (options.MinimumRemainingLife, options.RefreshAhead) = (TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(8));
        (options.RefusalLife, options.MaxConcurrentExchanges, options.MaxQueuedExchanges) = (TimeSpan.FromSeconds(9), 10, 11);
        (options.MaxEvidenceAge, options.MaxTicketAge) = (TimeSpan.FromSeconds(12), TimeSpan.FromSeconds(13));

        var limits = Parsed(options).Applications["erp"].Client.Limits;

        (limits.Timeout, limits.MaxClockCorrection).ShouldBe((TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(4)));
        var cache = limits.ToCacheOptions();
        (cache.MaxEntries, cache.MaxBytes, cache.MaxConcurrentExchanges, cache.MaxQueuedExchanges).ShouldBe((5, 6, 10, 11));
        (cache.MinimumRemainingLife, cache.RefreshAhead, cache.RefusalLife)
            .ShouldBe((TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(9)));
        (cache.MaxEvidenceAge, cache.MaxTicketAge).ShouldBe((TimeSpan.FromSeconds(12), TimeSpan.FromSeconds(13)));
    }

    [Fact]
    public void The_default_limits_are_those_of_the_engine()
    {
        var engine = new TicketCacheOptions();
        var cache = ClientLimits.Default.ToCacheOptions();

        foreach (var property in typeof(TicketCacheOptions).GetProperties())
            property.GetValue(cache).ShouldBe(property.GetValue(engine), property.Name);
        using var account = ServiceAccount.FromPassword("gw", "secret");
        var client = new S4UClientOptions { Realm = "CONTOSO.COM", Account = account };
        (ClientLimits.Default.Timeout, ClientLimits.Default.MaxClockCorrection).ShouldBe((client.Timeout, client.MaxClockCorrection));
    }

    [Fact]
    public void Keys_in_errors_carry_the_path_of_the_section_that_was_bound()
    {
        var options = Samples.Options();
        options.Section = "Gateway:Kcd";
        options.Realm = "?";

        Errors(options).ShouldHaveSingleItem().ShouldStartWith("Gateway:Kcd:Realm ");
    }

    [Fact]
    public void Control_characters_of_a_wrong_value_are_not_printed_raw()
    {
        var options = Samples.Options();
        options.Application().ServicePrincipalName = "HTTP/erp\r\nFatal: all is lost\u202e";

        var error = Errors(options).ShouldHaveSingleItem();

        error.ShouldContain("<U+000D><U+000A>");
        error.ShouldContain("<U+202E>");
        error.ShouldNotContain("\n");
    }

    [Theory]
    [InlineData("svc-connector")]
    [InlineData("HTTP/gateway.mit.test")]
    public void Accounts_may_be_users_and_service_principals(string name)
    {
        var options = Samples.Options();
        options.ServiceAccount.Name = name;

        Parsed(options).Applications["erp"].Client.AccountName.ShouldBe(name);
    }

    [Fact]
    public void Plain_http_is_accepted_where_it_is_allowed()
    {
        var options = Samples.Options();
        options.Application().InternalUrl = new Uri("http://erp.contoso.com/");
        options.Application().AllowPlainHttp = true;

        Parsed(options).Applications["erp"].InternalUrl!.Scheme.ShouldBe("http");
    }

    [Fact]
    public void Tokens_need_no_settings_where_the_host_validates_them()
    {
        var options = Samples.Options();
        options.Token = new TokenOptions();

        Parsed(options).Token.ShouldBeNull();
    }

    [Fact]
    public void The_tenant_of_principals_that_the_host_validates_may_be_set_alone()
    {
        var options = Samples.Options();
        options.Token = new TokenOptions { TenantId = "11111111-2222-3333-4444-555555555555" };

        var settings = Parsed(options);

        settings.Token.ShouldBeNull();
        settings.Applications["erp"].Callers.TenantId.ShouldBe("11111111-2222-3333-4444-555555555555");
    }

    [Fact]
    public void The_keys_of_an_Entra_application_are_loaded_by_its_id()
    {
        const string tenant = "11111111-2222-3333-4444-555555555555";
        const string query = "?appid=aaaaaaaa-2222-3333-4444-555555555555";
        var options = Samples.Options();
        options.Token.Authority = $"https://login.microsoftonline.com/{tenant}/v2.0{query}";

        var token = Parsed(options).Token.ShouldNotBeNull();

        token.DiscoveryDocument.AbsoluteUri.ShouldBe(
            $"https://login.microsoftonline.com/{tenant}/v2.0/.well-known/openid-configuration{query}");
        token.Issuer.ShouldBe($"https://login.microsoftonline.com/{tenant}/v2.0");
    }

    [Fact]
    public void An_unsafe_claim_is_accepted_where_it_is_allowed()
    {
        var options = Samples.Options();
        options.Application().ClaimType = "email";
        options.Application().AllowUnsafeClaimType = true;

        Parsed(options).Applications["erp"].Mapping.ClaimType.ShouldBe("email");
    }

    [Fact]
    public void The_common_account_is_not_needed_when_every_application_has_its_own()
    {
        var options = Samples.Options();
        options.Realm = null;
        options.Kdcs.Clear();
        options.ServiceAccount = new ServiceAccountOptions();
        options.Application().Realm = "EU.CONTOSO.COM";
        options.Application().ServiceAccount = new ServiceAccountOptions { Name = "svc-eu", PasswordFile = Samples.KeyFile };

        var client = Parsed(options).Applications["erp"].Client;

        (client.Realm, client.AccountName, client.KeyKind, client.KeyPath)
            .ShouldBe(("EU.CONTOSO.COM", "svc-eu", KeyFileKind.PasswordFile, Samples.KeyFile));
    }

    [Theory]
    [InlineData("https://login.microsoftonline.com/11111111-2222-3333-4444-55555555555A/v2.0",
        "https://login.microsoftonline.com/11111111-2222-3333-4444-55555555555a/v2.0")]
    [InlineData("https://login.microsoftonline.com/11111111-2222-3333-4444-55555555555A",
        "https://sts.windows.net/11111111-2222-3333-4444-55555555555a/")]
    [InlineData("https://login.microsoftonline.com/contoso.com/v2.0/",
        "https://login.microsoftonline.com/11111111-2222-3333-4444-55555555555a/v2.0")]
    public void The_issuer_of_Entra_follows_from_the_version_and_the_tenant(string authority, string issuer)
    {
        var options = Samples.Options();
        options.Token.Authority = authority;
        options.Token.TenantId = "11111111-2222-3333-4444-55555555555A";

        var token = Parsed(options).Token.ShouldNotBeNull();

        token.Issuer.ShouldBe(issuer);
        token.Callers.TenantId.ShouldBe("11111111-2222-3333-4444-55555555555a");
    }

    [Theory]
    [InlineData("http://localhost:5001/")]
    [InlineData("http://127.0.0.1:5001/tenant")]
    [InlineData("http://[::1]:5001")]
    public void An_authority_on_this_machine_may_be_plain_http_and_is_its_own_issuer(string authority)
    {
        var options = Samples.Options();
        options.Token.Authority = authority;

        Parsed(options).Token.ShouldNotBeNull().Issuer.ShouldBe(authority);
    }

    [Fact]
    public void Equal_accounts_and_KDCs_yield_equal_client_settings()
    {
        var first = Parsed(Samples.Options()).Applications["erp"].Client;
        var options = Samples.Options();
        var second = Parsed(options).Applications["erp"].Client;
        options.Kdcs.Add("dc2.contoso.com");
        var third = Parsed(options).Applications["erp"].Client;

        second.ShouldBe(first);
        second.GetHashCode().ShouldBe(first.GetHashCode());
        third.ShouldNotBe(first);
    }

    private static KcdSettings Parsed(KcdOptions options)
    {
        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeTrue(string.Join('\n', errors));
        return settings.ShouldNotBeNull();
    }

    private static IReadOnlyList<string> Errors(KcdOptions options)
    {
        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeFalse();
        settings.ShouldBeNull();
        return errors;
    }

    private static DelegatedApplication Add(KcdOptions options, string name) =>
        options.Applications[name] =
            new DelegatedApplication { InternalUrl = new Uri($"https://{name}.contoso.com"),
            ServicePrincipalName = $"HTTP/{name}.contoso.com" };

    private static void Move(IDictionary<string, RealmOptions> realms, string from, string to)
    {
        var realm = realms[from];
        realms.Remove(from);
        realms[to] = realm;
    }

    private static int Emptied(IList<string> list)
    {
        list.Clear();
        return 0;
    }
}
