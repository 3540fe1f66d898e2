using System.Text;
using KcdDelegation.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KcdDelegation.Tests.Settings;

public sealed class SettingsBinderTests
{
    [Theory]
    [InlineData("""{ "Relm": "X" }""", "Kcd:Relm is not a known setting. The nearest known setting is Realm.")]
    [InlineData("""{ "Kdc": [ "dc1" ] }""", "Kcd:Kdc is not a known setting. The nearest known setting is Kdcs.")]
    [InlineData("""{ "ServiceAccount": { "Keytap": "k" } }""",
        "Kcd:ServiceAccount:Keytap is not a known setting. The nearest known setting is Keytab.")]
    [InlineData("""{ "Token": { "Audiences": "a" } }""",
        "Kcd:Token:Audiences is not a known setting. The nearest known setting is Audience.")]
    [InlineData("""{ "Realms": { "EU": { "Kcds": [ "dc1" ] } } }""",
        "Kcd:Realms:EU:Kcds is not a known setting. The nearest known setting is Kdcs.")]
    [InlineData("""{ "Applications": { "erp": { "ServicePrincipleName": "HTTP/erp" } } }""",
        "Kcd:Applications:erp:ServicePrincipleName is not a known setting. The nearest known setting is ServicePrincipalName.")]
    [InlineData("""{ "Applications": { "erp": { "URL": "https://erp" } } }""",
        "Kcd:Applications:erp:URL is not a known setting. The nearest known setting is InternalUrl.")]
    [InlineData("""{ "ServicePrincipalName": "HTTP/erp" }""",
        "The known setting of this name is Kcd:Applications:NAME:ServicePrincipalName.")]
    [InlineData("""{ "Applications": { "erp": { "Keytab": "k" } } }""", "The known setting of this name is Kcd:ServiceAccount:Keytab.")]
    [InlineData("""{ "Token": { "Colour": { "Of": [ "night" ] } } }""", "Kcd:Token:Colour is not a known setting. Known settings are ")]
    public void An_unknown_key_is_reported_with_the_nearest_known_one(string json, string expected) =>
        BindingErrors(json).ShouldHaveSingleItem().ShouldContain(expected);

    [Theory]
    [InlineData("\"MaxTicketAge\": \"soon\"",
        "Kcd:MaxTicketAge \"soon\" is not a time. Write hours, minutes and seconds, such as 01:00:00")]
    [InlineData("\"MaxTicketAge\": 3600", "Kcd:MaxTicketAge \"3600\" is not a time.")]
    [InlineData("\"MaxTicketAge\": \"24:00:00\"", "one day is 1.00:00:00")]
    [InlineData("\"MaxCacheEntries\": \"many\"", "Kcd:MaxCacheEntries \"many\" is not a whole number. Write a number such as 100000")]
    [InlineData("\"MaxCacheEntries\": 3000000000", "at most 2147483647")]
    [InlineData("\"MaxCacheBytes\": 1.5", "Kcd:MaxCacheBytes \"1.5\" is not a whole number.")]
    [InlineData("\"MaxConcurrentExchanges\": \"\"", "Kcd:MaxConcurrentExchanges \"\" is not a whole number.")]
    [InlineData("\"Token\": { \"AllowGuests\": \"maybe\" }", "Kcd:Token:AllowGuests \"maybe\" is not true or false. Write true or false.")]
    [InlineData("\"Applications\": { \"erp\": { \"TokenFormat\": \"Smoke\" } }",
        "Kcd:Applications:erp:TokenFormat \"Smoke\" is not one of its values. Write Kerberos, Spnego, Auto.")]
    [InlineData("\"Applications\": { \"erp\": { \"LoginIdentity\": \"1\" } }", "UserPrincipalUsername")]
    [InlineData("\"Applications\": { \"erp\": { \"Start\": \"Preemptive, OnChallenge\" } }", "Kcd:Applications:erp:Start \"Preemptive, ")]
    [InlineData("\"Applications\": { \"erp\": { \"InternalUrl\": \"https://[erp\" } }",
        "Kcd:Applications:erp:InternalUrl \"https://[erp\" is not an address.")]
    [InlineData("\"Realm\": [ \"A\", \"B\" ]", "Kcd:Realm is a group or a list, but it has one value.")]
    [InlineData("\"Kdcs\": \"dc1.contoso.com\"",
        "Kcd:Kdcs has a value, but it is a list. Write [ \"value\" ] in JSON, or the first value as Kcd:Kdcs:0.")]
    [InlineData("\"Kdcs\": [ { \"Host\": \"dc1\" } ]", "Kcd:Kdcs:0 is a group or a list, but it has one value.")]
    [InlineData("\"Applications\": \"erp\"", "Write each entry below it, as Kcd:Applications:NAME.")]
    [InlineData("\"Applications\": { \"erp\": \"https://erp\" }", "Kcd:Applications:erp has a value, but it is a group of settings.")]
    public void A_wrong_value_is_reported_with_its_key_and_what_is_allowed(string json, string expected) =>
        BindingErrors($"{{ {json} }}").ShouldHaveSingleItem().ShouldContain(expected);

    [Theory]
    [InlineData("\"ServiceAccount\": \"correct horse\"")]
    [InlineData("\"ServiceAccount\": { \"Password\": \"correct horse\" }")]
    [InlineData("\"Applications\": { \"erp\": { \"InternalUrl\": \"https://ada:correct horse@[erp\" } }")]
    public void A_value_that_may_be_a_secret_is_not_shown(string json) =>
        BindingErrors($"{{ {json} }}").ShouldHaveSingleItem().ShouldNotContain("horse");

    [Fact]
    public void All_errors_of_keys_values_and_settings_are_reported_together_and_each_once()
    {
        var errors = Errors("""
            { "Realm": "contoso.com", "Relam": "CONTOSO.COM", "MaxTicketAge": "soon",
              "ServiceAccount": { "Name": "gw$", "Keytab": "/nowhere/gw.keytab" },
              "Applications": { "erp": { "InternalUrl": "https://[erp", "ServicePrincipalName": "HTTPS/erp:443" } } }
            """);

        errors.Select(error => error[..error.IndexOf(' ', StringComparison.Ordinal)]).ShouldBe([
            "Kcd:Applications:erp:InternalUrl", "Kcd:MaxTicketAge", "Kcd:Relam", "Kcd:Realm",
            "Kcd:Applications:erp:ServicePrincipalName", "Kcd:ServiceAccount:Keytab",
        ], ignoreOrder: true);
    }

    [Fact]
    public void A_section_that_does_not_exist_is_named() =>
        Errors("""{ "Realm": "CONTOSO.COM" }""", section: "Kdc").ShouldContain(
            error => error.StartsWith("The section \"Kdc\" of the configuration does not exist", StringComparison.Ordinal));

    [Fact]
    public void A_configuration_that_is_passed_instead_of_its_section_is_one_error()
    {
        var options = new KcdOptions();
        SettingsBinder.Bind(Configuration("""{ "Realm": "CONTOSO.COM" }"""), options);

        SettingsParser.FindErrors(options).ShouldHaveSingleItem().Text.ShouldContain("configuration.GetSection(\"Kcd\")");
    }

    [Fact]
    public void Values_are_read_without_case_and_null_leaves_the_default()
    {
        var options = Bind("""
            { "realm": "CONTOSO.COM", "MAXTICKETAGE": "1.02:03:04", "MaxCacheBytes": "1000000000000", "RefusalLife": null, "Kdcs": [],
              "ServiceAccount": { "Keytab": null },
              "Applications": { "erp": { "tokenformat": "spnego", "ChannelBinding": "FALSE", "InternalUrl": "https://erp/",
                  "ServiceAccount": null } } }
            """);

        options.BindingErrors.ShouldBeEmpty();
        (options.Realm, options.MaxTicketAge, options.MaxCacheBytes, options.RefusalLife)
            .ShouldBe(("CONTOSO.COM", new TimeSpan(1, 2, 3, 4), 1_000_000_000_000, TimeSpan.FromSeconds(30)));
        var erp = options.Applications["ERP"];
        (erp.TokenFormat, erp.ChannelBinding, erp.InternalUrl, erp.ServiceAccount)
            .ShouldBe((TokenFormat.Spnego, false, new Uri("https://erp/"), null));
        options.Kdcs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_host_with_wrong_keys_and_values_lists_them_in_one_exception()
    {
        var services = new ServiceCollection();
        services.AddKcdDelegation(Configuration("""{ "Relm": "X", "Applications": { "erp": { "Start": "Never" } } }""").GetSection("Kcd"));
        await using var provider = services.BuildServiceProvider();

        var error = Should.Throw<OptionsValidationException>(provider.GetRequiredService<DelegationClient>);

        error.Message.ShouldContain("Kcd:Relm ");
        error.Message.ShouldContain("Kcd:Applications:erp:Start \"Never\"");
        error.Message.ShouldContain("Kcd:Realm is missing");
        error.Message.ShouldContain("Kcd:Applications:erp:InternalUrl is missing");
    }

    /// <summary>Sets every setting of every type to a text of its kind, so that a setting of a new kind cannot be forgotten.</summary>
    [Fact]
    public void Every_setting_of_every_type_can_be_bound()
    {
        foreach (var type in OptionsType.All)
        {
            foreach (var setting in type.Settings)
            {
                var key = $"{(type.Section.Length == 0 ? "" : $"{type.Section}:")}{setting.Name}";
                var kind = setting.PropertyType;
                if (OptionsType.Find(kind) is not null)
                    continue;
                var isGroup = kind.IsGenericType && kind.GetGenericTypeDefinition() == typeof(IDictionary<,>);
                if (isGroup && OptionsType.Find(kind.GetGenericArguments()[1]) is not null)
                    continue;
                var isList = kind.IsGenericType && kind.GetGenericTypeDefinition() == typeof(IList<>);
                var value = isList || isGroup ? kind.GetGenericArguments()[^1] : kind;
                var text = Example(Nullable.GetUnderlyingType(value) ?? value);

                var options = Bound($"Kcd:{key}{(isList ? ":0" : isGroup ? ":entry" : "")}", text);

                options.BindingErrors.ShouldBeEmpty();
            }
        }
    }

    private static string Example(Type type) => type switch
    {
        _ when type == typeof(bool) => "true",
        _ when type == typeof(int) || type == typeof(long) => "7",
        _ when type == typeof(TimeSpan) => "00:00:07",
        _ when type.IsEnum => Enum.GetNames(type)[^1],
        _ => "https://erp.contoso.com/",
    };

    private static KcdOptions Bound(string key, string value)
    {
        var options = new KcdOptions();
        SettingsBinder.Bind(new ConfigurationBuilder()
            .AddInMemoryCollection([new KeyValuePair<string, string?>(key, value)]).Build().GetSection("Kcd"), options);
        return options;
    }

    private static KcdOptions Bind(string json, string section = "Kcd")
    {
        var options = new KcdOptions();
        SettingsBinder.Bind(Configuration(json).GetSection(section), options);
        return options;
    }

    private static IEnumerable<string> BindingErrors(string json) => Bind(json).BindingErrors.Select(error => error.Text);

    private static IEnumerable<string> Errors(string json, string section = "Kcd") =>
        SettingsParser.FindErrors(Bind(json, section)).Select(error => error.Text);

    private static IConfigurationRoot Configuration(string json) => new ConfigurationBuilder()
        .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes($"{{ \"Kcd\": {json} }}"))).Build();
}
