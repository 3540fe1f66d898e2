using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Settings;

namespace KcdDelegation.Gateway.Tests.Settings;

/// <summary>Tests that docs/gateway.md agrees with the code.</summary>
public sealed partial class DocumentTests
{
    [Fact]
    public async Task The_settings_of_the_page_are_valid()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var settings = JsonNode.Parse(SettingsBlock().Match(await ReadPageAsync()).Groups["json"].Value)!.AsObject();
        // The files of the page do not exist here.
        settings["Listener"]!["Certificates"] = gateway.Settings["Listener"]!["Certificates"]!.DeepClone();
        settings["Kcd"]!["ServiceAccount"] = gateway.Settings["Kcd"]!["ServiceAccount"]!.DeepClone();
        await File.WriteAllTextAsync(gateway.SettingsPath, settings.ToJsonString(), TestContext.Current.CancellationToken);

        new GatewaySettingsFile(gateway.SettingsPath).Read().Settings.Applications.Keys.Order(StringComparer.Ordinal)
            .ShouldBe(["erp", "wiki"]);
    }

    [Fact]
    public async Task The_page_names_every_setting_of_the_gateway()
    {
        var page = await ReadPageAsync();

        foreach (var type in GatewayOptionTypes.All.Where(
            type => type.Section.Length > 0 && !type.Section.StartsWith("Kcd", StringComparison.Ordinal)))
        {
            foreach (var setting in type.Settings.Where(setting => OptionsType.Find(setting.PropertyType, GatewayOptionTypes.All) is null))
                page.ShouldContain(setting.Name, Case.Sensitive, $"docs/gateway.md does not have {type.Section}:{setting.Name}");
        }
    }

    [GeneratedRegex(@"<!-- code: settings -->\s*```json(?<json>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex SettingsBlock();

    private static Task<string> ReadPageAsync() =>
        File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "gateway.md"), TestContext.Current.CancellationToken);
}
