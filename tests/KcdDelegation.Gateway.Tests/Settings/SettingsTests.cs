using System.Text.Json.Nodes;
using KcdDelegation.Gateway.Settings;

namespace KcdDelegation.Gateway.Tests.Settings;

public sealed class SettingsTests
{
    [Fact]
    public async Task Every_mistake_is_reported_at_once_by_its_key()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var settings = gateway.Settings;
        settings["Listner"] = new JsonObject();
        settings["Realm"] = "CONTOSO.TEST";
        settings["Listener"]!["Urls"] = new JsonArray("https://gateway.contoso.test:443", "ftp://127.0.0.1", "https://127.0.0.1:0/path");
        settings["Listener"]!["TrustedProxies"] = new JsonArray("10.0.0.300", "0.0.0.0/0");
        settings["Listener"]!["Limits"]!["MaxConnections"] = 0;
        settings["Listener"]!["Limits"]!["KeepAliveTimeout"] = 30;
        settings["IdentityProviders"]!["test"]!["Token"]!["Audience"] = " ";
        settings["Applications"]!["erp"]!["Delegation"] = "unknown";
        settings["Applications"]!["erp"]!["RequiredGroup"] = "g1";
        settings["Applications"]!["wiki"]!["ExternalUrl"] = "http://wiki.contoso.test/";
        settings["Applications"]!["wiki"]!["RequiredAcr"] = "c1 c2";
        settings["Kcd"]!["Applications"]!["erp"]!["Start"] = "Never";
        settings["Kcd"]!["Token"] = new JsonObject { ["TenantId"] = "x" };

        var errors = FindErrors(gateway);

        string[] keys =
        [
            "Listner is not a known setting. The nearest known setting is Listener",
            "Realm is not a known setting. The known setting of this name is Kcd:Realm",
            "Listener:Urls:0 \"https://gateway.contoso.test:443\" has a host name", "Listener:Urls:1 \"ftp://127.0.0.1\"",
            "Listener:Urls:2 \"https://127.0.0.1:0/path\" has a path", "Listener:TrustedProxies:0 \"10.0.0.300\"",
            "Listener:TrustedProxies:1 \"0.0.0.0/0\" is every address", "Listener:Limits:MaxConnections 0 is out of range",
            "Listener:Limits:KeepAliveTimeout \"30\" is not a time", "IdentityProviders:test:Token:Audience is missing",
            "Applications:erp:Delegation \"unknown\" is not in Kcd:Applications (erp)",
            "Applications:erp:RequiredGroup is not a known setting. The nearest known setting is RequiredGroups",
            "Applications:wiki:ExternalUrl \"http://wiki.contoso.test/\" is plain http", "Applications:wiki:RequiredAcr \"c1 c2\"",
            "Kcd:Applications:erp:Start \"Never\"", "Kcd:Token is not used by the gateway",
        ];
        foreach (var key in keys)
            errors.ShouldContain(error => error.StartsWith(key, StringComparison.Ordinal), $"{key}\n{string.Join('\n', errors)}");
        errors.Count.ShouldBe(keys.Length, string.Join('\n', errors));
    }

    [Theory]
    [InlineData("""{ "Applications": { "erp": { "ExternalUrl": "https://wiki.contoso.test/" } } }""", "Applications:wiki:ExternalUrl")]
    [InlineData("""{ "Applications": { "erp": { "ExternalUrl": "https://erp.contoso.test/path/" } } }""", "Applications:erp:ExternalUrl")]
    [InlineData("""{ "Applications": { "erp": { "SignIn": "Browser" } } }""", "Applications:erp:SignIn")]
    [InlineData("""{ "Applications": { "erp": { "IdentityProvider": "other" } } }""", "Applications:erp:IdentityProvider")]
    [InlineData("""{ "Applications": { "wiki": { "InternalUrls": [] } } }""", "Applications:wiki:InternalUrls")]
    [InlineData("""{ "Applications": { "wiki": { "InternalUrls": ["https://wiki/path"] } } }""", "Applications:wiki:InternalUrls:0")]
    [InlineData("""{ "Listener": { "Certificates": [] } }""", "Listener:Certificates")]
    [InlineData("""{ "Listener": { "Certificates": [{ "Certificate": "/a.pem", "Key": "/a.key" }] } }""", "Listener:Certificates:0")]
    [InlineData("""{ "Listener": { "DroppedHeaders": ["X Y"] } }""", "Listener:DroppedHeaders:0")]
    [InlineData("""{ "State": "relative" }""", "State")]
    [InlineData("""{ "State": "/etc/passwd" }""", "State")]
    [InlineData("""{ "State": "/etc/passwd/state" }""", "State")]
    [InlineData("""{ "Operation": { "AuditFile": "/tmp" } }""", "Operation:AuditFile")]
    [InlineData("""{ "Applications": { "erp": { "ExternalUrl": "https://[2001:db8::1]/" } } }""", "Applications:erp:ExternalUrl")]
    [InlineData("""{ "Applications": { "erp": { "ExternalUrl": "https://erp.contoso.test./" } } }""", "Applications:erp:ExternalUrl")]
    [InlineData("""{ "Listener": { "Urls": ["https://127.0.0.1:8443", "https://127.0.0.1:8443"] } }""", "Listener:Urls:1")]
    [InlineData(
        """{ "ForwardAuthentication": { "Urls": ["http://127.0.0.1:4180", "http://127.0.0.1:4180/"] } }""", "ForwardAuthentication:Urls:1")]
    [InlineData(
        """{ "ForwardAuthentication": { "Urls": ["http://127.0.0.1:4180"] }, "Operation": { "Prometheus": "http://127.0.0.1:4180" } }""",
        "Operation:Prometheus")]
    [InlineData("""{ "Pages": { "ContactAddress": "javascript:alert(1)" } }""", "Pages:ContactAddress")]
    [InlineData("""{ "IdentityProviders": { "test": { "Token": { "Kind": "IdToken" } } } }""", "IdentityProviders:test:Token:Kind")]
    [InlineData(
        """{ "State": "/var/lib/kcd", "IdentityProviders": { "test": { "SignIn": { "Caller": "IdToken" } } } }""",
        "IdentityProviders:test:Token:ClientId")]
    public async Task A_setting_that_cannot_work_is_an_error(string change, string key)
    {
        await using var gateway = await TestGateway.CreateAsync();
        Merge(gateway.Settings, JsonNode.Parse(change)!.AsObject());

        var errors = FindErrors(gateway);

        errors.ShouldHaveSingleItem().ShouldStartWith($"{key} ");
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("  \nsecret\n")]
    public async Task A_secret_that_is_empty_is_an_error(string content)
    {
        await using var gateway = await TestGateway.CreateAsync();
        var path = Path.Combine(Path.GetDirectoryName(gateway.SettingsPath)!, "secret");
        await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);
        gateway.Settings["State"] = Path.GetDirectoryName(gateway.SettingsPath);
        var provider = gateway.Settings["IdentityProviders"]!["test"]!;
        (provider["Token"]!["ClientId"], provider["SignIn"]) = ("client", new JsonObject { ["ClientSecretFile"] = path });

        FindErrors(gateway).ShouldHaveSingleItem()
            .ShouldStartWith("IdentityProviders:test:SignIn:ClientSecretFile names a file whose first line is empty");

        await File.WriteAllTextAsync(path, "secret", TestContext.Current.CancellationToken);
        new GatewaySettingsFile(gateway.SettingsPath).Read().Settings.Providers.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_application_without_any_address_is_an_error()
    {
        await using var gateway = await TestGateway.CreateAsync();
        gateway.Settings["Kcd"]!["Applications"]!["erp"]!.AsObject().Remove("InternalUrl");

        FindErrors(gateway).ShouldHaveSingleItem().ShouldStartWith("Applications:erp:InternalUrls is empty");

        gateway.Settings["Applications"]!["erp"]!["InternalUrls"] = new JsonArray(gateway.Backend.Url.AbsoluteUri);
        await gateway.StartAsync();
        (await gateway.GetAsync("ada")).Body.ShouldBe("ada@CONTOSO.TEST");
    }

    [Fact]
    public async Task Two_providers_cannot_share_a_delegation()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var other = gateway.Settings["IdentityProviders"]!["test"]!.DeepClone();
        gateway.Settings["IdentityProviders"]!["other"] = other;
        gateway.Settings["Applications"]!["erp"]!["IdentityProvider"] = "test";
        gateway.Settings["Applications"]!["wiki"] = JsonNode.Parse(
            """{ "ExternalUrl": "https://wiki.contoso.test/", "Delegation": "erp", "IdentityProvider": "other" }""");

        FindErrors(gateway).ShouldHaveSingleItem().ShouldStartWith("Applications:wiki:Delegation \"erp\" is also that of Applications:erp");
    }

    [Theory]
    [InlineData("{ \"a\": ")]
    [InlineData("[]")]
    [InlineData("{ \"State\": \"/a\", \"state\": \"/b\" }")]
    [InlineData("")]
    public async Task A_file_that_is_not_a_JSON_object_with_each_key_once_is_refused(string content)
    {
        await using var gateway = await TestGateway.CreateAsync();
        await File.WriteAllTextAsync(gateway.SettingsPath, content, TestContext.Current.CancellationToken);

        Should.Throw<GatewaySettingsException>(() => new GatewaySettingsFile(gateway.SettingsPath).Read())
            .Message.ShouldContain(gateway.SettingsPath);
    }

    [Fact]
    public async Task Comments_are_allowed()
    {
        await using var gateway = await TestGateway.CreateAsync();
        await File.WriteAllTextAsync(
            gateway.SettingsPath, $"// the gateway\n{gateway.Settings.ToJsonString()}", TestContext.Current.CancellationToken);

        new GatewaySettingsFile(gateway.SettingsPath).Read().Settings.Applications.Keys.Order(StringComparer.Ordinal)
            .ShouldBe(["erp", "wiki"]);
    }

    [Fact]
    public async Task Guests_of_a_provider_are_delegated_only_if_that_provider_allows_them()
    {
        await using var gateway = await TestGateway.CreateAsync();
        gateway.Settings["IdentityProviders"]!["test"]!["Token"]!["AllowGuests"] = true;
        await gateway.StartAsync();

        var guest = new Dictionary<string, object?>(StringComparer.Ordinal) { ["acct"] = 1 };
        (await gateway.GetAsync("ada", claims: guest)).Body.ShouldBe("ada@CONTOSO.TEST");

        gateway.Settings["IdentityProviders"]!["test"]!["Token"]!["AllowGuests"] = false;
        gateway.Reload().ShouldBeTrue();
        (await gateway.GetAsync("ada", claims: guest)).Status.ShouldBe(System.Net.HttpStatusCode.Unauthorized);
    }

    private static IReadOnlyList<string> FindErrors(TestGateway gateway)
    {
        gateway.WriteSettings();
        return Should.Throw<GatewaySettingsException>(() => new GatewaySettingsFile(gateway.SettingsPath).Read()).Errors;
    }

    private static void Merge(JsonObject target, JsonObject change)
    {
        foreach (var (name, value) in change)
        {
            if (value is JsonObject group && target[name] is JsonObject existing)
                Merge(existing, group);
            else
                target[name] = value?.DeepClone();
        }
    }
}
