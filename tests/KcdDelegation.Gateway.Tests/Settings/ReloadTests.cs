using System.Net;
using System.Text.Json.Nodes;

namespace KcdDelegation.Gateway.Tests.Settings;

public sealed class ReloadTests
{
    [Fact]
    public async Task A_changed_file_is_applied_while_the_gateway_runs()
    {
        await using var gateway = await TestGateway.StartAsync();
        (await gateway.GetAsync("ada", "https://new.contoso.test/")).Status.ShouldBe(HttpStatusCode.NotFound);

        gateway.Settings["Applications"]!["erp"]!["ExternalUrl"] = "https://new.contoso.test/";
        gateway.Reload().ShouldBeTrue();

        await EventuallyAsync(async () => (await gateway.GetAsync("ada", "https://new.contoso.test/")).Body == "ada@CONTOSO.TEST");
        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.NotFound);
        gateway.Log.Find(6002).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_new_application_with_its_delegation_is_served_without_a_restart()
    {
        await using var gateway = await TestGateway.StartAsync();

        gateway.Settings["Kcd"]!["Applications"]!["crm"] = gateway.Settings["Kcd"]!["Applications"]!["erp"]!.DeepClone();
        gateway.Settings["Applications"]!["crm"] = new JsonObject { ["ExternalUrl"] = "https://crm.contoso.test/" };
        gateway.Reload().ShouldBeTrue();

        await EventuallyAsync(async () => (await gateway.GetAsync("bob", "https://crm.contoso.test/")).Body == "bob@CONTOSO.TEST");
    }

    [Fact]
    public async Task A_bad_edit_is_logged_by_key_and_the_last_settings_stay_as_a_whole()
    {
        await using var gateway = await TestGateway.StartAsync();

        gateway.Settings["Applications"]!["erp"]!["ExternalUrl"] = "https://new.contoso.test/";
        gateway.Settings["Applications"]!["wiki"]!["Delegation"] = "unknown";
        gateway.Settings["Kcd"]!["MaxUsers"] = 0;
        gateway.Reload().ShouldBeFalse();
        gateway.Reload().ShouldBeFalse();

        gateway.Log.Find(6003).Count.ShouldBe(2);
        gateway.Log.Find(6003).ShouldContain(text => text.Contains("Applications:wiki:Delegation", StringComparison.Ordinal));
        gateway.Log.Find(6003).ShouldContain(text => text.Contains("Kcd:MaxUsers", StringComparison.Ordinal));
        (await gateway.GetAsync("ada")).Body.ShouldBe("ada@CONTOSO.TEST");
        (await gateway.GetAsync("ada", "https://new.contoso.test/")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_file_that_is_being_written_changes_nothing()
    {
        await using var gateway = await TestGateway.StartAsync();

        foreach (var content in (string[])["", "{", "{}"])
        {
            await File.WriteAllTextAsync(gateway.SettingsPath, content, TestContext.Current.CancellationToken);
            Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions
                .GetRequiredService<KcdDelegation.Gateway.Settings.GatewaySettingsStore>(gateway.Services).Reload().ShouldBeFalse();
            (await gateway.GetAsync("ada")).Body.ShouldBe("ada@CONTOSO.TEST");
        }
    }

    [Fact]
    public async Task The_file_is_found_changed_without_a_signal()
    {
        await using var gateway = await TestGateway.StartAsync();

        gateway.Settings["Applications"]!["erp"]!["RequiredGroups"] = new JsonArray("g1");
        gateway.WriteSettings();

        await EventuallyAsync(async () => (await gateway.GetAsync("ada")).Status == HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_removed_application_is_unknown_and_its_conditions_never_lapse()
    {
        await using var gateway = await TestGateway.StartAsync();

        gateway.Settings["Applications"]!.AsObject().Remove("erp");
        gateway.Reload().ShouldBeTrue();

        (await gateway.GetAsync("ada")).Status.ShouldBe(HttpStatusCode.NotFound);
        gateway.Backend.Requests.ShouldBeEmpty();
    }

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 100 && !await condition(); i++)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        (await condition()).ShouldBeTrue();
    }
}
