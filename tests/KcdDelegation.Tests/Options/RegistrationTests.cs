using System.Security.Claims;
using System.Text;
using System.Text.Json;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KcdDelegation.Tests.Settings;

public sealed class RegistrationTests : IDisposable
{
    private static readonly string Json = $$"""
        { "Kcd": { "Realm": "CONTOSO.COM", "Kdcs": [ "dc1.contoso.com" ],
            "ServiceAccount": { "Name": "CONNECTOR$", "Keytab": {{JsonSerializer.Serialize(Samples.KeyFile)}} },
            "Realms": { "EU.CONTOSO.COM": { "Kdcs": [ "dc1.eu.contoso.com" ], "UserPrincipalSuffixes": [ "eu.contoso.com" ] } },
            "Token": { "Authority": "https://login.example/tenant/v2.0", "Audience": "api://gateway",
                "TenantId": "11111111-2222-3333-4444-555555555555" },
            "Applications": { "erp": { "InternalUrl": "https://erp.contoso.com/", "ServicePrincipalName": "HTTP/erp.contoso.com",
                "LoginIdentity": "OnPremisesSamAccountName", "UserRealm": "CONTOSO.COM", "TokenFormat": "Spnego" } } } }
        """;

    private readonly LogRecorder _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Configuration_and_code_set_the_same_options()
    {
        await using var fromJson = Services(services => services.AddKcdDelegation(Configuration(Json).GetSection("Kcd")));
        await using var fromCode = Services(services => services.AddKcdDelegation(o =>
        {
            var sample = Samples.Options();
            (o.Realm, o.ServiceAccount, o.Token) = (sample.Realm, sample.ServiceAccount, sample.Token);
            o.Kdcs.Add(sample.Kdcs[0]);
            o.Realms["EU.CONTOSO.COM"] = sample.Realms["EU.CONTOSO.COM"];
            o.Applications["erp"] = sample.Application();
        }));

        var (json, code) = (fromJson.GetRequiredService<SettingsStore>().Current, fromCode.GetRequiredService<SettingsStore>().Current);

        json.Token.ShouldBe(code.Token);
        var (jsonErp, codeErp) = (json.Applications["erp"], code.Applications["erp"]);
        jsonErp.Mapping.UserPrincipalSuffixes.ShouldBe(codeErp.Mapping.UserPrincipalSuffixes);
        (jsonErp.Mapping with { UserPrincipalSuffixes = codeErp.Mapping.UserPrincipalSuffixes }).ShouldBe(codeErp.Mapping);
        jsonErp.AllowedHosts.ShouldBe(codeErp.AllowedHosts);
        (jsonErp with { Mapping = codeErp.Mapping, AllowedHosts = codeErp.AllowedHosts }).ShouldBe(codeErp);
    }

    [Fact]
    public async Task Every_setting_can_be_bound_from_configuration()
    {
        var configuration = Configuration($$"""
            { "Kcd": { "Realm": "CONTOSO.COM",
                "ServiceAccount": { "Name": "c$", "Keytab": {{JsonSerializer.Serialize(Samples.KeyFile)}} },
                "Token": { "Authority": "https://login.example", "Issuer": "https://sts.example", "Audience": "a",
                    "AllowGuests": true, "AllowApplicationTokens": true },
                "Applications": { "erp": { "InternalUrl": "http://erp/", "ServicePrincipalName": "HTTP/erp",
                    "LoginIdentity": "UserPrincipalUsername",
                    "TokenFormat": "Auto", "Start": "OnChallenge", "MutualAuthentication": "Optional", "ChannelBinding": false,
                    "AllowPlainHttp": true, "UserRealm": "EU.CONTOSO.COM", "ClaimType": "email", "AllowUnsafeClaimType": true,
                    "AllowBuiltInAccounts": true,
                    "Realm": "US.CONTOSO.COM",
                    "ServiceAccount": { "Name": "d$", "PasswordFile": {{JsonSerializer.Serialize(Samples.KeyFile)}} } },
                    "crm": { "InternalUrl": "https://crm/", "ServicePrincipalName": "HTTP/crm",
                        "MutualAuthentication": "Required", "ShareConnectionsBetweenUsers": true } } } }
            """);
        await using var services = Services(services => services.AddKcdDelegation(configuration.GetSection("Kcd")));

        var settings = services.GetRequiredService<SettingsStore>().Current;

        settings.Token.ShouldNotBeNull().Issuer.ShouldBe("https://sts.example");
        var erp = settings.Applications["erp"];
        (erp.Callers.AllowGuests, erp.Callers.AllowApplicationTokens).ShouldBe((true, true));
        (erp.TokenFormat, erp.Start, erp.MutualAuthentication, erp.ChannelBinding)
            .ShouldBe((TokenFormat.Auto, AuthenticationStart.OnChallenge, MutualAuthentication.Optional, false));
        var crm = settings.Applications["crm"];
        (crm.MutualAuthentication, crm.ShareConnectionsBetweenUsers).ShouldBe((MutualAuthentication.Required, true));
        (erp.Mapping.LoginIdentity, erp.Mapping.ClaimType, erp.Callers.AllowBuiltInAccounts, erp.Mapping.UserRealm)
            .ShouldBe((LoginIdentity.UserPrincipalUsername, "email", true, "EU.CONTOSO.COM"));
        (erp.Client.Realm, erp.Client.AccountName, erp.Client.KeyKind)
            .ShouldBe(("US.CONTOSO.COM", "d$", KeyFileKind.PasswordFile));
    }

    [Fact]
    public async Task A_host_with_invalid_options_does_not_start_and_names_their_keys()
    {
        var configuration =
            Configuration(Json.Replace("\"Kcd\"", "\"Delegation\"", StringComparison.Ordinal)
            .Replace("https://erp", "http://erp", StringComparison.Ordinal));
        await using var services = Services(services => services.AddKcdDelegation(configuration.GetSection("Delegation")));

        var error = await Should.ThrowAsync<OptionsValidationException>(
            () => services.GetServices<IHostedService>().Single().StartAsync(CancellationToken.None));

        error.Failures.ShouldHaveSingleItem().ShouldStartWith("Delegation:Applications:erp:InternalUrl ");
    }

    [Fact]
    public async Task A_misspelt_setting_is_an_error()
    {
        var configuration = Configuration(Json.Replace("LoginIdentity", "LoginIdentitty", StringComparison.Ordinal));
        await using var services = Services(services => services.AddKcdDelegation(configuration.GetSection("Kcd")));

        var error = Should.Throw<OptionsValidationException>(services.GetRequiredService<SettingsStore>);

        error.Failures.ShouldHaveSingleItem().ShouldBe(
            "Kcd:Applications:erp:LoginIdentitty is not a known setting. The nearest known setting is LoginIdentity. "
                + "Correct the key, or remove it.");
    }

    [Fact]
    public async Task A_valid_change_of_the_configuration_takes_effect()
    {
        var configuration = Configuration(Json);
        await using var services = Services(services => services.AddKcdDelegation(configuration.GetSection("Kcd")));
        var store = services.GetRequiredService<SettingsStore>();

        Change(configuration, "Kcd:Applications:erp:TokenFormat", "Kerberos");

        store.Current.Applications["erp"].TokenFormat.ShouldBe(TokenFormat.Kerberos);
        _log.Records.ShouldContain(record => record.Id == 1050);
    }

    [Theory]
    [InlineData("Kcd:Applications:erp:InternalUrl", "http://erp.contoso.com", "AllowPlainHttp")]
    [InlineData("Kcd:Applications:erp:TokenFormat", "Smoke", "TokenFormat")]
    [InlineData("Kcd:Applications:erp:Colour", "red", "Colour")]
    public async Task An_invalid_change_is_logged_and_the_last_valid_settings_stay(string key, string value, string reason)
    {
        var configuration = Configuration(Json);
        await using var services = Services(services => services.AddKcdDelegation(configuration.GetSection("Kcd")));
        var store = services.GetRequiredService<SettingsStore>();
        var before = store.Current;

        Change(configuration, key, value);

        store.Current.ShouldBeSameAs(before);
        var record = _log.Records.ShouldHaveSingleItem();
        (record.Id, record.Level).ShouldBe((1051, LogLevel.Error));
        record.Text.ShouldContain(reason);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_changed_file_that_is_not_JSON_is_logged_and_the_last_valid_settings_stay(bool isHost)
    {
        var folder = Directory.CreateTempSubdirectory("kcd-settings-");
        try
        {
            var path = Path.Combine(folder.FullName, "appsettings.json");
            await File.WriteAllTextAsync(path, Json, TestContext.Current.CancellationToken);
            var configuration = new ConfigurationBuilder().AddJsonFile(path, optional: false, reloadOnChange: true).Build();
            using var files = (IDisposable)configuration;
            await using var services = Services(services =>
            {
                services.AddKcdDelegation(configuration.GetSection("Kcd"));
                if (isHost)
                    services.AddSingleton<IConfiguration>(configuration);
            });
            var store = services.GetRequiredService<SettingsStore>();
            var before = store.Current;

            await File.WriteAllTextAsync(path, Json[..^10], TestContext.Current.CancellationToken);
            await WaitForAsync(1052);

            store.Current.ShouldBeSameAs(before);
            var record = _log.Records.First(record => record.Id == 1052);
            record.Level.ShouldBe(LogLevel.Error);
            record.Text.ShouldContain("appsettings.json");

            await File.WriteAllTextAsync(path, Json.Replace("\"Spnego\"", "\"Auto\"", StringComparison.Ordinal),
                TestContext.Current.CancellationToken);
            await WaitForAsync(1050);

            store.Current.Applications["erp"].TokenFormat.ShouldBe(TokenFormat.Auto);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task While_a_file_is_not_JSON_no_change_of_another_file_takes_effect_without_its_settings()
    {
        const string restriction = """{ "Kcd": { "Token": { "RequiredRoles": [ "Gateway.Use" ] } } }""";
        var cancellation = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("kcd-settings-");
        try
        {
            var (path, other) =
                (Path.Combine(folder.FullName, "appsettings.json"), Path.Combine(folder.FullName, "appsettings.Production.json"));
            await File.WriteAllTextAsync(path, Json, cancellation);
            await File.WriteAllTextAsync(other, restriction, cancellation);
            var configuration = new ConfigurationBuilder().AddJsonFile(path, optional: false, reloadOnChange: true)
                .AddJsonFile(other, optional: true, reloadOnChange: true).Build();
            using var files = (IDisposable)configuration;
            await using var services = Services(services => services.AddKcdDelegation(configuration.GetSection("Kcd")));
            var store = services.GetRequiredService<SettingsStore>();
            var before = store.Current;

            await File.WriteAllTextAsync(other, restriction[..^4], cancellation);
            await WaitForAsync(1052);
            await File.WriteAllTextAsync(path, Json.Replace("\"Spnego\"", "\"Auto\"", StringComparison.Ordinal), cancellation);
            await WaitForAsync(1051);

            store.Current.ShouldBeSameAs(before);
            _log.Records.First(record => record.Id == 1051).Text.ShouldContain("appsettings.Production.json");

            await File.WriteAllTextAsync(other, restriction, cancellation);
            await WaitForAsync(1050);

            store.Current.Applications["erp"].TokenFormat.ShouldBe(TokenFormat.Auto);
            store.Current.Token.ShouldNotBeNull().Callers.RequiredRoles.ShouldBe(["Gateway.Use"]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_whose_error_the_host_ignores_is_unreadable_until_it_is_read(bool isIgnored)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var path = Path.Combine(Directory.CreateTempSubdirectory("kcd-settings-").FullName, "appsettings.json");
        await File.WriteAllTextAsync(path, Json, cancellation);
        var configuration = new ConfigurationBuilder()
            .AddJsonFile(source =>
            {
                (source.Path, source.OnLoadException) = (path, context => context.Ignore = isIgnored);
                source.ResolveFileProvider();
            })
            .Add(new Edits())
            .Build();
        await using var services = Services(services => services.AddKcdDelegation(configuration.GetSection("Kcd")));
        var store = services.GetRequiredService<SettingsStore>();
        var before = store.Current;
        await File.WriteAllTextAsync(path, "{", cancellation);

        if (isIgnored)
            configuration.Reload();
        else
            Should.Throw<InvalidDataException>(() => configuration.Reload());
        Change(configuration, "Kcd:Applications:erp:TokenFormat", "Auto");
        Change(configuration, "Kcd:Applications:erp:TokenFormat", "Kerberos");

        store.Current.ShouldBeSameAs(before);
        await File.WriteAllTextAsync(path, Json, cancellation);
        configuration.Reload();
        store.Current.Applications["erp"].TokenFormat.ShouldBe(TokenFormat.Kerberos);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public async Task A_change_while_the_settings_are_read_for_the_first_time_takes_effect()
    {
        var configuration = Configuration(Json);
        var isFirst = true;
        await using var services = Services(services => services.AddKcdDelegation(configuration.GetSection("Kcd"))
            .PostConfigure<KcdOptions>(_ =>
            {
                if (isFirst)
                {
                    isFirst = false;
                    Change(configuration, "Kcd:Applications:erp:TokenFormat", "Auto");
                }
            }));

        services.GetRequiredService<SettingsStore>().Current.Applications["erp"].TokenFormat.ShouldBe(TokenFormat.Auto);
    }

    [Fact]
    public async Task A_host_keeps_its_own_handler_of_files_that_cannot_be_read()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("kcd-settings-").FullName, "appsettings.json");
        await File.WriteAllTextAsync(path, Json, TestContext.Current.CancellationToken);
        var seen = new List<string?>();
        var configuration = new ConfigurationBuilder()
            .AddJsonFile(source =>
            {
                (source.Path, source.OnLoadException) = (path, context =>
                {
                    seen.Add(context.Provider.Source.Path);
                    context.Ignore = true;
                });
                source.ResolveFileProvider();
            })
            .Build();
        await using (var services = Services(services => services.AddKcdDelegation(configuration.GetSection("Kcd"))))
        {
            var store = services.GetRequiredService<SettingsStore>();
            await File.WriteAllTextAsync(path, "{", TestContext.Current.CancellationToken);

            configuration.Reload();

            seen.ShouldBe(["appsettings.json"]);
            _log.Records.Count(record => record.Id == 1052).ShouldBe(1);
            store.Current.Applications["erp"].TokenFormat.ShouldBe(TokenFormat.Spnego);
        }
        configuration.Reload();

        seen.Count.ShouldBe(2);
        _log.Records.Count(record => record.Id == 1052).ShouldBe(1);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public async Task After_an_invalid_change_a_valid_one_takes_effect()
    {
        var configuration = Configuration(Json);
        await using var services = Services(services => services.AddKcdDelegation(configuration.GetSection("Kcd")));
        var store = services.GetRequiredService<SettingsStore>();

        Change(configuration, "Kcd:Applications:erp:TokenFormat", "Smoke");
        Change(configuration, "Kcd:Applications:erp:TokenFormat", "Auto");

        store.Current.Applications["erp"].TokenFormat.ShouldBe(TokenFormat.Auto);
    }

    [Fact]
    public async Task A_registered_mapper_replaces_the_default_one()
    {
        await using var services =
            Services(services => services.AddSingleton<IIdentityMapper, Table>().AddKcdDelegation(Configuration(Json).GetSection("Kcd")));

        var caller = new ClaimsPrincipal(new ClaimsIdentity([new Claim("tid", "11111111-2222-3333-4444-555555555555")], "Bearer"));
        var user = await services.GetRequiredService<DelegationClient>().MapAsync("erp", caller, TestContext.Current.CancellationToken);

        user.ShouldBe(KerberosPrincipal.Principal("from-the-table", "erp"));
    }

    [Fact]
    public async Task A_mapper_that_decorates_the_default_one_may_change_the_context()
    {
        await using var services = Services(services =>
            services.AddSingleton<IIdentityMapper, ContractorMapper>().AddKcdDelegation(Configuration(Json).GetSection("Kcd")));
        var client = services.GetRequiredService<DelegationClient>();

        (await MapAsync(("partner_account", "eve"), (ClaimTypes.Role, "contractor")))
            .ShouldBe(KerberosPrincipal.Principal("eve", "PARTNER.TEST"));
        (await MapAsync(("onprem_sam_account_name", "ada"))).ShouldBe(KerberosPrincipal.Principal("ada", "CONTOSO.COM"));
        // The checks before and after every mapper apply to this one too.
        (await Should.ThrowAsync<KcdException>(
            () => MapAsync(("partner_account", "Administrator"), (ClaimTypes.Role, "contractor")))).EventId.ShouldBe(1044);

        async Task<KerberosPrincipal> MapAsync(params (string Type, string Value)[] claims) =>
            await client.MapAsync("erp", new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim("tid", "11111111-2222-3333-4444-555555555555"), .. claims.Select(claim => new Claim(claim.Type, claim.Value))],
                "Bearer")),
            TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_container_without_logging_is_sufficient()
    {
        var services = new ServiceCollection();
        services.AddKcdDelegation(Configuration(Json).GetSection("Kcd"));
        await using var provider = services.BuildServiceProvider();

        provider.GetRequiredService<DelegationClient>().ShouldBeSameAs(provider.GetRequiredService<DelegationClient>());
    }

    private ServiceProvider Services(Action<IServiceCollection> configure)
    {
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(_log);
        configure(services);
        return services.BuildServiceProvider();
    }

    private async Task WaitForAsync(int id)
    {
        for (var attempt = 0; attempt < 600 && _log.Records.All(record => record.Id != id); attempt++)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
        _log.Records.ShouldContain(record => record.Id == id);
    }

    private static IConfigurationRoot Configuration(string json) => new ConfigurationBuilder()
        .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)))
        .Add(new Edits())
        .Build();

    private static void Change(IConfigurationRoot configuration, string key, string value) =>
        configuration.Providers.OfType<Edits>().Single().Change(key, value);

    /// <summary>A configuration source that overrides the file and reports its changes.</summary>
    private sealed class Edits : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public void Change(string key, string value)
        {
            Set(key, value);
            OnReload();
        }
    }

    private sealed class Table : IIdentityMapper
    {
        public ValueTask<KerberosPrincipal> MapAsync(ClaimsPrincipal caller, MappingContext context, CancellationToken cancellationToken) =>
            ValueTask.FromResult(KerberosPrincipal.Principal("from-the-table", context.ApplicationName));
    }

    /// <summary>A mapper of a host that reads contractors' names from another claim and leaves the rest to the default mapper.</summary>
    private sealed class ContractorMapper : IIdentityMapper
    {
        private readonly ClaimsIdentityMapper _inner = new();

        public ValueTask<KerberosPrincipal> MapAsync(ClaimsPrincipal caller, MappingContext context, CancellationToken cancellationToken) =>
            _inner.MapAsync(caller, caller.IsInRole("contractor") ? GetContractorContext(context) : context, cancellationToken);

        private static MappingContext GetContractorContext(MappingContext context) => new()
        {
            ApplicationName = context.ApplicationName, Realm = "PARTNER.TEST", ClaimType = "partner_account",
            LoginIdentity = LoginIdentity.OnPremisesSamAccountName,
        };
    }
}
