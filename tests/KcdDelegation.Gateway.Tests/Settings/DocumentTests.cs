using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Settings;

namespace KcdDelegation.Gateway.Tests.Settings;

/// <summary>Tests that docs/gateway.md, and the pages that complete its settings, agree with the code.</summary>
public sealed partial class DocumentTests
{
    private const string Page = "gateway.md";

    [Fact]
    public async Task The_settings_of_the_page_are_valid()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var settings = Parse(SettingsBlock().Match(await ReadPageAsync(Page)));
        await WriteAsync(gateway, settings);

        new GatewaySettingsFile(gateway.SettingsPath).Read().Settings.Applications.Keys.Order(StringComparer.Ordinal)
            .ShouldBe(["erp", "wiki"]);
    }

    [Theory]
    [InlineData("entra.md")]
    [InlineData("recipes/iis.md")]
    [InlineData("recipes/apache-nginx.md")]
    [InlineData("recipes/java.md")]
    [InlineData("recipes/sap.md")]
    public async Task The_settings_of_another_page_complete_those_of_the_page(string other)
    {
        await using var gateway = await TestGateway.CreateAsync();
        var whole = SettingsBlock().Match(await ReadPageAsync(Page));

        var parts = SettingsBlock().Matches(await ReadPageAsync(other));
        parts.Count.ShouldBeGreaterThan(0);
        foreach (Match part in parts)
        {
            var settings = Parse(whole);
            Merge(settings, Parse(part));
            await WriteAsync(gateway, settings);
            Should.NotThrow(new GatewaySettingsFile(gateway.SettingsPath).Read, part.Groups["json"].Value);
        }
    }

    [Fact]
    public async Task The_settings_of_the_sample_with_a_managed_account_are_valid()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var sample = await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, "samples", "ManagedAccount", "gateway.json"), TestContext.Current.CancellationToken);
        var settings = JsonNode.Parse(sample)!.AsObject();
        var account = settings["Kcd"]!["ServiceAccount"]!.DeepClone();
        // The file of another key takes the place of the reader's keytab.
        account["ManagedPassword"]!["ReaderKeytab"] = gateway.KeyPath;
        await WriteAsync(gateway, settings);
        settings["Kcd"]!["ServiceAccount"] = account;
        await File.WriteAllTextAsync(gateway.SettingsPath, settings.ToJsonString(), TestContext.Current.CancellationToken);

        new GatewaySettingsFile(gateway.SettingsPath).Read().Settings.Applications.Keys.ShouldBe(["erp"]);
        sample.ShouldNotContain("PasswordFile");
    }

    [Fact]
    public async Task The_page_names_every_setting_of_the_gateway()
    {
        var page = await ReadPageAsync(Page);

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

    private static Task<string> ReadPageAsync(string page) =>
        File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", page), TestContext.Current.CancellationToken);

    private static JsonObject Parse(Match block) => JsonNode.Parse(block.Groups["json"].Value)!.AsObject();

    /// <summary>Adds the members of a part to the settings. A value replaces the one with the same key.</summary>
    private static void Merge(JsonObject settings, JsonObject part)
    {
        foreach (var (key, value) in part)
        {
            if (settings[key] is JsonObject inner && value is JsonObject change)
                Merge(inner, change);
            else
                settings[key] = value?.DeepClone();
        }
    }

    /// <summary>Writes the settings of a page, with files of the test, since those of the page do not exist here.</summary>
    private static Task WriteAsync(TestGateway gateway, JsonObject settings)
    {
        settings["Listener"]!["Certificates"] = gateway.Settings["Listener"]!["Certificates"]!.DeepClone();
        settings["Kcd"]!["ServiceAccount"] = gateway.Settings["Kcd"]!["ServiceAccount"]!.DeepClone();
        if (settings.ContainsKey("State"))
            settings["State"] = Path.GetDirectoryName(gateway.SettingsPath);
        if (settings["IdentityProviders"]!["entra"]!["SignIn"] is { } signIn)
            signIn["ClientSecretFile"] = gateway.KeyPath;
        return File.WriteAllTextAsync(gateway.SettingsPath, settings.ToJsonString(), TestContext.Current.CancellationToken);
    }
}
