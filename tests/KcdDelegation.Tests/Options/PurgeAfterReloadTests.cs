using System.Buffers;
using System.Security.Claims;
using KcdDelegation.Settings;
using KcdDelegation.Testing;
using KcdDelegation.Tickets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.Tests.Settings;

/// <summary>Tests that a purge includes the tickets of settings that a reload has replaced.</summary>
public sealed class PurgeAfterReloadTests : IAsyncDisposable
{
    private readonly TestRealm _realm = TestRealm.Start()
        .User("ada", userPrincipalName: "ada@corp.example")
        .Account("gw$", mayDelegateTo: ["HTTP/erp"], password: "Passw0rd!")
        .Account("gw2$", mayDelegateTo: ["HTTP/erp"], password: "Passw0rd!").Service("HTTP/erp");

    private readonly string _passwordFile = Path.Combine(Path.GetTempPath(), $"kcd-{Guid.NewGuid():N}");
    private readonly Edits _configuration;
    private readonly ServiceProvider _services;

    public PurgeAfterReloadTests()
    {
        File.WriteAllText(_passwordFile, "Passw0rd!");
        _configuration = new Edits(new Dictionary<string, string?>
        {
            ["Kcd:Realm"] = _realm.Name,
            ["Kcd:Kdcs:0"] = _realm.Endpoint.ToString(),
            ["Kcd:ServiceAccount:Name"] = "gw$",
            ["Kcd:ServiceAccount:PasswordFile"] = _passwordFile,
            ["Kcd:Applications:erp:InternalUrl"] = "https://erp.contoso.test/",
            ["Kcd:Applications:erp:ServicePrincipalName"] = "HTTP/erp",
            ["Kcd:Applications:erp:LoginIdentity"] = "OnPremisesSamAccountName",
            ["Kcd:Applications:other:InternalUrl"] = "https://other.contoso.test/",
            ["Kcd:Applications:other:ServicePrincipalName"] = "HTTP/other",
            ["Kcd:Applications:other:LoginIdentity"] = "OnPremisesUserPrincipalName",
        });
        var root = new ConfigurationBuilder().Add(_configuration).Build();
        _services = new ServiceCollection().AddKcdDelegation(root.GetSection("Kcd")).BuildServiceProvider();
    }

    private DelegationClient Client => _services.GetRequiredService<DelegationClient>();

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _realm.DisposeAsync();
        File.Delete(_passwordFile);
    }

    [Theory]
    [InlineData("Kcd:ServiceAccount:Name", "gw2$")]
    [InlineData("Kcd:Applications:erp:LoginIdentity", "UserPrincipalName")]
    [InlineData("Kcd:Applications:erp:ServicePrincipalName", "HTTP/renamed")]
    [InlineData("Kcd:Token:TenantId", "another-tenant")]
    public async Task A_sign_out_drops_tickets_that_were_requested_under_replaced_settings(string key, string value)
    {
        var credential = await Client.GetCredentialAsync("erp", Ada, TestContext.Current.CancellationToken);
        _configuration.Change(key, value);

        (await Client.PurgeAsync(Ada, TestContext.Current.CancellationToken)).ShouldBe(2);

        Should.Throw<InvalidOperationException>(() => credential.CreateAuthorization(TokenFormat.Kerberos));
    }

    [Theory]
    [InlineData("Kcd:ServiceAccount:Name", "gw2$")]
    [InlineData("Kcd:Applications:erp:ServicePrincipalName", "HTTP/renamed")]
    public async Task A_purge_of_an_application_drops_tickets_of_replaced_settings(string key, string value)
    {
        var credential = await Client.GetCredentialAsync("erp", Ada, TestContext.Current.CancellationToken);
        _configuration.Change(key, value);

        Client.PurgeApplication("erp").ShouldBe(1);

        Should.Throw<InvalidOperationException>(() => credential.CreateAuthorization(TokenFormat.Kerberos));
    }

    [Fact]
    public async Task An_application_that_a_reload_has_removed_can_be_purged()
    {
        var credential = await Client.GetCredentialAsync("erp", Ada, TestContext.Current.CancellationToken);
        _configuration.Remove("Kcd:Applications:erp:");

        Client.PurgeApplication("erp").ShouldBe(1);

        Should.Throw<InvalidOperationException>(() => credential.CreateAuthorization(TokenFormat.Kerberos));
    }

    [Fact]
    public async Task A_purge_of_everything_includes_the_clients_of_replaced_settings()
    {
        var credential = await Client.GetCredentialAsync("erp", Ada, TestContext.Current.CancellationToken);
        _configuration.Change("Kcd:ServiceAccount:Name", "gw2$");

        Client.PurgeAll().ShouldBe(3);

        Should.Throw<InvalidOperationException>(() => credential.CreateAuthorization(TokenFormat.Kerberos));
    }

    [Fact]
    public async Task A_reload_changes_the_limit_on_templates()
    {
        var credential = await Client.GetCredentialAsync("erp", Ada, TestContext.Current.CancellationToken);
        var output = new ArrayBufferWriter<byte>(1 << 14);

        _configuration.Change("Kcd:MaxCacheBytes", "1");
        Write();
        Write();
        Allocations.Measure(calls: 50, Write).ShouldBeGreaterThan(50 * 1000);

        _configuration.Change("Kcd:MaxCacheBytes", "100000");
        Write();
        Write();
        Allocations.Measure(calls: 50, Write).ShouldBe(0);

        void Write()
        {
            output.ResetWrittenCount();
            credential.WriteAuthorization(output, TokenFormat.Spnego);
        }
    }

    [Fact]
    public void Settings_that_a_reload_leaves_unchanged_are_not_kept_as_replaced_ones()
    {
        var replaced = new ReplacedApplications();
        replaced.Add(Parse(Samples.Options()), Parse(Samples.Options()));
        replaced.All.ShouldBeEmpty();

        var changed = Samples.Options();
        changed.Realms["EU.CONTOSO.COM"].NetBiosName = "EU";
        replaced.Add(Parse(Samples.Options()), Parse(changed));
        replaced.All.ShouldHaveSingleItem();
    }

    private static KcdSettings Parse(KcdOptions options)
    {
        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeTrue(string.Join('\n', errors));
        return settings.ShouldNotBeNull();
    }

    private static ClaimsPrincipal Ada => new(new ClaimsIdentity(
        [new Claim("onprem_sam_account_name", "ada"), new Claim("upn", "ada@corp.example")], "Bearer"));

    /// <summary>A configuration source that reports its changes.</summary>
    private sealed class Edits : ConfigurationProvider, IConfigurationSource
    {
        public Edits(Dictionary<string, string?> values)
        {
            foreach (var (key, value) in values)
                Set(key, value);
        }

        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public void Change(string key, string value)
        {
            Set(key, value);
            OnReload();
        }

        public void Remove(string prefix)
        {
            foreach (var key in Data.Keys.Where(key => key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).ToList())
                Data.Remove(key);
            OnReload();
        }
    }
}
