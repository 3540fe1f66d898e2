using KcdDelegation.Diagnosis;
using KcdDelegation.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Settings;

/// <summary>Tests that settings which turn a protection off are named in the log at every start.</summary>
public sealed class WeakenedSettingTests : IDisposable
{
    private readonly LogRecorder _log = new();

    public void Dispose() => _log.Dispose();

    public static TheoryData<string> Switches =>
    [
        .. typeof(DelegatedApplication).GetProperties().Where(property => property.PropertyType == typeof(bool))
            .Select(property => property.Name)
            // It demands more, and turns nothing off.
            .Where(name => !name.StartsWith("Require", StringComparison.Ordinal)),
    ];

    [Theory]
    [MemberData(nameof(Switches))]
    public async Task Each_switch_of_an_application_is_named_with_its_key_and_how_to_undo_it(string name)
    {
        var options = Samples.Options();
        var property = typeof(DelegatedApplication).GetProperty(name)!;
        var weak = !(bool)property.GetValue(options.Application())!;
        property.SetValue(options.Application(), weak);

        await using var client = DelegationClient.Create(options, _log);

        var record = _log.Records.Where(record => record.Id == KcdEventId.SettingWeakens).ShouldHaveSingleItem();
        (record.Category, record.Level).ShouldBe(("KcdDelegation", LogLevel.Warning));
        record.Text.ShouldStartWith(
            $"A setting turns a protection off. Kcd:Applications:erp:{name} is {(weak ? "true" : "false")}: ");
        record.Text.ShouldContain($"To undo it: Set it to {(weak ? "false" : "true")}, or remove it");
    }

    [Theory]
    [InlineData("AllowGuests")]
    [InlineData("AllowApplicationTokens")]
    public async Task Each_switch_for_callers_is_named(string name)
    {
        var options = Samples.Options();
        typeof(TokenOptions).GetProperty(name)!.SetValue(options.Token, true);

        await using var client = DelegationClient.Create(options, _log);

        _log.Records.Where(record => record.Id == KcdEventId.SettingWeakens).ShouldHaveSingleItem()
            .Text.ShouldContain($"Kcd:Token:{name} is true: ");
    }

    [Fact]
    public void Every_switch_of_the_token_settings_is_covered_by_a_test() =>
        typeof(TokenOptions).GetProperties().Where(property => property.PropertyType == typeof(bool)).Select(property => property.Name)
            .ShouldBe(["AllowGuests", "AllowApplicationTokens"], ignoreOrder: true);

    [Fact]
    public async Task An_issuer_with_plain_http_is_named()
    {
        var options = Samples.Options();
        options.Token.Authority = "http://localhost:8080/issuer";

        await using var client = DelegationClient.Create(options, _log);

        _log.Records.Where(record => record.Id == KcdEventId.SettingWeakens).ShouldHaveSingleItem()
            .Text.ShouldContain("Kcd:Token:Authority is http://localhost:8080/issuer: ");
    }

    [Fact]
    public async Task Settings_that_weaken_nothing_cause_no_warning()
    {
        await using var client = DelegationClient.Create(Samples.Options(), _log);

        _log.Records.ShouldNotContain(record => record.Id == KcdEventId.SettingWeakens);
    }

    [Fact]
    public async Task A_host_warns_at_its_start_and_a_reload_warns_of_what_it_adds()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Delegation:Realm"] = "CONTOSO.COM",
            ["Delegation:ServiceAccount:Name"] = "CONNECTOR$",
            ["Delegation:ServiceAccount:Keytab"] = Samples.KeyFile,
            ["Delegation:Applications:erp:InternalUrl"] = "https://erp.contoso.com/",
            ["Delegation:Applications:erp:ServicePrincipalName"] = "HTTP/erp.contoso.com",
            ["Delegation:Applications:erp:ChannelBinding"] = "false",
        }).Build();
        var services = new ServiceCollection().AddKcdDelegation(configuration.GetSection("Delegation"));
        services.AddSingleton<ILoggerFactory>(_log);
        await using var provider = services.BuildServiceProvider();

        await provider.GetServices<IHostedService>().Single().StartAsync(TestContext.Current.CancellationToken);
        Keys().ShouldBe(["Delegation:Applications:erp:ChannelBinding"]);

        configuration["Delegation:Applications:erp:ShareConnectionsBetweenUsers"] = "true";
        configuration.Reload();

        Keys().ShouldBe(
            ["Delegation:Applications:erp:ChannelBinding", "Delegation:Applications:erp:ShareConnectionsBetweenUsers"]);
    }

    private List<string?> Keys() =>
        [.. _log.Records.Where(record => record.Id == KcdEventId.SettingWeakens).Select(record => (string?)record.Field("Key"))];
}
