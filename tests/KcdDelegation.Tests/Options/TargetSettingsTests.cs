using KcdDelegation.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.Tests;

/// <summary>Tests the settings for the addresses of an application.</summary>
public sealed class TargetSettingsTests
{
    [Fact]
    public async Task Origins_and_hosts_come_from_configuration()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Kcd:Realm"] = "CONTOSO.COM",
            ["Kcd:ServiceAccount:Name"] = "CONNECTOR$",
            ["Kcd:ServiceAccount:Keytab"] = Samples.KeyFile,
            ["Kcd:Applications:erp:InternalUrl"] = "https://erp.contoso.com/app/",
            ["Kcd:Applications:erp:ServicePrincipalName"] = "HTTP/erp.contoso.com",
            ["Kcd:Applications:erp:AdditionalOrigins:0"] = "https://erp1.contoso.com",
            ["Kcd:Applications:erp:AdditionalOrigins:1"] = "https://erp2.contoso.com:8443/",
            ["Kcd:Applications:erp:AllowedHosts:0"] = "portal.contoso.com",
            ["Kcd:Applications:erp:AllowEncodedSlashes"] = "true",
        }).Build();
        await using var services = new ServiceCollection().AddKcdDelegation(configuration.GetSection("Kcd")).BuildServiceProvider();
        var application = services.GetRequiredService<DelegationClient>().GetApplication("erp");

        application.AdditionalOrigins.Select(origin => origin.AbsoluteUri)
            .ShouldBe(["https://erp1.contoso.com/", "https://erp2.contoso.com:8443/"]);
        application.AllowedHosts.ShouldBe(["portal.contoso.com"]);
        application.AllowEncodedSlashes.ShouldBeTrue();
    }

    [Theory]
    [InlineData("erp1.contoso.com", "is not an http or https address")]
    [InlineData("ftp://erp1.contoso.com", "is not an http or https address")]
    [InlineData("https://", "is not an http or https address")]
    [InlineData("", "is not an http or https address")]
    [InlineData(null, "is not an http or https address")]
    [InlineData("https://erp1.contoso.com/app/", "has a user, a path, a query or a fragment")]
    [InlineData("https://erp1.contoso.com/?x", "has a user, a path, a query or a fragment")]
    [InlineData("https://erp1.contoso.com/#x", "has a user, a path, a query or a fragment")]
    [InlineData("https://ada:secret-1@erp1.contoso.com", "has a user, a path, a query or a fragment")]
    [InlineData("http://erp1.contoso.com", "Kcd:Applications:erp:AllowPlainHttp")]
    public void A_wrong_origin_is_reported_under_its_key(string? origin, string problem)
    {
        var options = Samples.Options();
        options.Application().AdditionalOrigins.Add("https://erp2.contoso.com");
        options.Application().AdditionalOrigins.Add(origin!);
        var error = Errors(options).ShouldHaveSingleItem();
        error.ShouldStartWith("Kcd:Applications:erp:AdditionalOrigins:1 ");
        error.ShouldContain(problem);
        error.ShouldNotContain("secret-1");
    }

    [Theory]
    [InlineData("https://portal.contoso.com")]
    [InlineData("portal.contoso.com/")]
    [InlineData("portal.contoso.com:")]
    [InlineData("portal.contoso.com:0x1")]
    [InlineData("portal.contoso.com:99999")]
    [InlineData("*.contoso.com")]
    [InlineData("*")]
    [InlineData("portal contoso")]
    [InlineData("portal.contoso.com\r\nX: 1")]
    [InlineData("m\u00fcnchen.example")]
    [InlineData("ada:secret-1@portal.contoso.com")]
    [InlineData("portal.contoso.com?secret-1")]
    [InlineData("portal.contoso.com#")]
    [InlineData("")]
    [InlineData(null)]
    public void A_wrong_Host_value_is_reported_under_its_key(string? host)
    {
        var options = Samples.Options();
        options.Application().AllowedHosts.Add(host!);
        var error = Errors(options).ShouldHaveSingleItem();
        error.ShouldStartWith("Kcd:Applications:erp:AllowedHosts:0 ");
        error.ShouldNotContain("ada:secret-1");
        error.ShouldNotContain("\n");
    }

    [Theory]
    [InlineData("portal.contoso.com")]
    [InlineData("Portal.Contoso.com:8443")]
    [InlineData("portal.contoso.com:443")]
    [InlineData("xn--mnchen-3ya.example")]
    [InlineData("192.0.2.1:8080")]
    [InlineData("[2001:db8::1]:8443")]
    [InlineData("portal")]
    public void A_Host_value_is_a_host_with_an_optional_port(string host)
    {
        var options = Samples.Options();
        options.Application().AllowedHosts.Add(host);
        Errors(options).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("http://ada:secret-1@erp.contoso.com/")]
    [InlineData("https://ada:secret-1@erp.contoso.com/")]
    [InlineData("https://ada:secret-1@erp.contoso.com/?x=a@b")]
    [InlineData("ftp://ada:secret-1@erp.contoso.com/")]
    [InlineData("https://secret-1@erp.contoso.com/")]
    public void A_password_in_an_address_is_not_printed(string url)
    {
        var options = Samples.Options();
        options.Application().InternalUrl = new Uri(url);
        options.Token.Authority = url;
        var errors = Errors(options);
        errors.ShouldNotBeEmpty();
        errors.ShouldAllBe(error => !error.Contains("secret-1", StringComparison.Ordinal));
        errors.ShouldContain(error => error.Contains("erp.contoso.com", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ada:secret-1@erp.contoso.com")]
    [InlineData("//ada:secret-1@erp.contoso.com/")]
    [InlineData("https://ada:secret-1/x#@erp.contoso.com/")]
    [InlineData("https:ada:secret-1@erp.contoso.com")]
    public void A_password_in_text_that_is_not_an_address_is_not_printed(string text)
    {
        var options = Samples.Options();
        options.Token.Authority = text;
        options.Application().AdditionalOrigins.Add(text);
        options.Application().AllowedHosts.Add(text);
        var errors = Errors(options);
        errors.Count.ShouldBe(3);
        errors.ShouldAllBe(error => !error.Contains("secret-1", StringComparison.Ordinal));
    }

    private static IReadOnlyList<string> Errors(KcdOptions options)
    {
        _ = SettingsParser.TryParse(options, out _, out var errors);
        return errors;
    }
}
