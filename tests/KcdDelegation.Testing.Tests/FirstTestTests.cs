using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KcdDelegation.Testing.Tests;

/// <summary>The first test that a user of the kit writes, as the documentation shows it.</summary>
public sealed class FirstTestTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static TestRealm StartRealm() => TestRealm.Start().User("ada").Account("gw$", mayDelegateTo: ["HTTP/erp"]).Service("HTTP/erp");

    [Fact]
    public async Task Options_of_realm_issuer_and_backend_delegate_a_bare_client()
    {
        await using var realm = StartRealm();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: Stop);
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/erp", cancellationToken: Stop);
        var options = realm.CreateOptions("gw$", issuer);
        options.Applications["erp"] = backend.CreateApplication();

        await using var client = DelegationClient.Create(options);
        using var http = new HttpClient(new KcdHandler(client, "erp"));
        (await GetAsync(http, client, issuer, backend.Url)).ShouldBe("ada@CONTOSO.TEST");
        realm.Transcript.ShouldBe(["AS gw$ ok", "SELF ada>gw$ ok", "PROXY ada>HTTP/erp ok"]);
    }

    [Fact]
    public async Task Options_without_an_issuer_leave_token_validation_to_the_host()
    {
        await using var realm = StartRealm();
        realm.CreateOptions("gw$").Token.Authority.ShouldBeNull();
        Should.Throw<ArgumentException>(() => realm.CreateOptions("none")).Message.ShouldContain("no account or service none");
    }

    [Fact]
    public async Task Options_name_the_KDCs_of_trusted_realms()
    {
        await using var europe = TestRealm.Start("EU.TEST").User("eve");
        await using var realm = StartRealm().Trusts(europe);
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: Stop);
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/erp", cancellationToken: Stop);
        var options = realm.CreateOptions("gw$", issuer);
        options.Realms["EU.TEST"].UserPrincipalSuffixes.Add("eu.test");
        options.Applications["erp"] = backend.CreateApplication(LoginIdentity.UserPrincipalName);

        await using var client = DelegationClient.Create(options);
        var eve = await client.ValidateTokenAsync(issuer.CreateToken("eve@eu.test"), Stop);
        await client.GetCredentialAsync("erp", eve, Stop);
        europe.Transcript.ShouldContain("SELF eve@eu.test>gw$ referral CONTOSO.TEST");
    }

    [Fact]
    public async Task The_keytab_of_options_is_private_and_deleted_with_the_realm()
    {
        var realm = StartRealm();
        var keytab = realm.CreateOptions("gw$").ServiceAccount.Keytab!;
        File.Exists(keytab).ShouldBeTrue();
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(keytab).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await realm.DisposeAsync();
        Directory.Exists(Path.GetDirectoryName(keytab)).ShouldBeFalse();
    }

    [Fact]
    public async Task One_line_replaces_the_settings_of_an_application_under_test()
    {
        await using var realm = StartRealm();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: Stop);
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/erp", cancellationToken: Stop);
        var services = RegisterApplication();

        services.UseTestRealm(realm, "gw$", issuer).UseTestBackend("erp", backend);

        await using var provider = services.BuildServiceProvider();
        using var http = provider.GetRequiredService<IHttpClientFactory>().CreateClient("erp");
        http.BaseAddress.ShouldBe(backend.Url);
        var client = provider.GetRequiredService<DelegationClient>();
        (await GetAsync(http, client, issuer, backend.Url)).ShouldBe("ada@CONTOSO.TEST");
    }

    [Theory]
    [InlineData("EU.TEST", "EU.TEST")]
    [InlineData("CONTOSO.COM", "CONTOSO.TEST")]
    [InlineData(null, null)]
    public async Task A_UserRealm_stays_if_the_test_realm_trusts_it(string? before, string? after)
    {
        await using var europe = TestRealm.Start("EU.TEST");
        await using var realm = StartRealm().Trusts(europe);
        var services = RegisterApplication();
        services.Configure<KcdOptions>(options =>
        {
            options.Realms["EU.TEST"] = new RealmOptions { UserPrincipalSuffixes = { "eu.test" } };
            options.Applications["erp"].UserRealm = before;
        });
        await using var provider = services.UseTestRealm(realm, "gw$").BuildServiceProvider();

        provider.GetRequiredService<IOptions<KcdOptions>>().Value.Applications["erp"].UserRealm.ShouldBe(after);
    }

    [Fact]
    public async Task One_line_is_enough_for_services_without_registrations()
    {
        await using var realm = StartRealm();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: Stop);
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/erp", cancellationToken: Stop);
        await using var provider = new ServiceCollection().UseTestRealm(realm, "gw$", issuer).UseTestBackend("erp", backend)
            .BuildServiceProvider();
        var client = provider.GetRequiredService<DelegationClient>();
        using var http = new HttpClient(new KcdHandler(client, "erp"));
        (await GetAsync(http, client, issuer, backend.Url)).ShouldBe("ada@CONTOSO.TEST");
    }

    [Fact]
    public async Task A_client_that_trusts_the_certificate_reaches_a_backend_with_https()
    {
        await using var realm = StartRealm();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: Stop);
        await using var backend = await TestBackend.StartAsync(realm, "HTTP/erp", new TestBackendOptions { Https = true }, Stop);
        await using var other = await TestBackend.StartAsync(realm, "HTTP/erp", new TestBackendOptions { Https = true }, Stop);
        var services = new ServiceCollection();
        services.AddHttpClient("erp").AddKcdDelegation("erp", backend.TrustCertificate);
        services.UseTestRealm(realm, "gw$", issuer).UseTestBackend("erp", backend);
        await using var provider = services.BuildServiceProvider();
        using var http = provider.GetRequiredService<IHttpClientFactory>().CreateClient("erp");
        var client = provider.GetRequiredService<DelegationClient>();
        (await GetAsync(http, client, issuer, backend.Url)).ShouldBe("ada@CONTOSO.TEST");

        using var handler = new SocketsHttpHandler();
        backend.TrustCertificate(handler);
        using var plain = new HttpClient(handler);
        (await plain.GetAsync(backend.Url, Stop)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        await Should.ThrowAsync<HttpRequestException>(() => plain.GetAsync(other.Url, Stop));
    }

    /// <summary>The registrations of an application, with settings that lead nowhere in a test.</summary>
    private static ServiceCollection RegisterApplication()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Kcd:Realm"] = "CONTOSO.COM",
            ["Kcd:Kdcs:0"] = "dc1.contoso.com",
            ["Kcd:ServiceAccount:Name"] = "CONNECTOR$",
            ["Kcd:ServiceAccount:Keytab"] = "/etc/kcd/connector.keytab",
            ["Kcd:Token:Authority"] = "https://login.contoso.com/",
            ["Kcd:Token:Audience"] = "api://erp",
            ["Kcd:Applications:erp:InternalUrl"] = "https://erp.contoso.com/",
            ["Kcd:Applications:erp:ServicePrincipalName"] = "HTTP/erp.contoso.com",
            ["Kcd:Applications:erp:LoginIdentity"] = "UserPrincipalUsername",
            ["Kcd:Applications:erp:ServiceAccount:Name"] = "ERP$",
            ["Kcd:Applications:erp:ServiceAccount:Keytab"] = "/etc/kcd/erp.keytab",
        }).Build();
        var services = new ServiceCollection();
        services.AddKcdDelegation(configuration.GetSection("Kcd"));
        services.AddHttpClient("erp").AddKcdDelegation("erp");
        return services;
    }

    private static async Task<string> GetAsync(HttpClient http, DelegationClient client, TestIssuer issuer, Uri url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.SetCaller(await client.ValidateTokenAsync(issuer.CreateToken("ada@contoso.test"), Stop));
        using var response = await http.SendAsync(request, Stop);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await response.Content.ReadAsStringAsync(Stop);
    }
}
