using KcdDelegation.Tests.Conventions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.Tests.Readme;

/// <summary>What the README shows compiles, binds and means the same in both forms.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void The_configuration_of_the_README_gives_the_options_of_its_code()
    {
        var bound = new KcdOptions();
        using var json = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Block("json")));
        new ConfigurationBuilder().AddJsonStream(json).Build().GetSection("Kcd").Bind(bound);

        Flatten(bound).ShouldBe(Flatten(InCode()));
    }

    [Fact]
    public async Task The_options_of_the_README_are_valid()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        Factory(services);
        await using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<KcdAuthenticator>().ShouldNotBeNull();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("erp");
        client.ShouldNotBeNull();
    }

    [Fact]
    public void The_code_of_the_README_is_the_code_that_is_tested_here()
    {
        var source = Lines(File.ReadAllText(Path.Combine(House.Root, "tests", "KcdDelegation.Tests", "Readme", "ReadmeTests.cs")));
        foreach (var line in Lines(Block("factory").Replace("builder.Services", "services", StringComparison.Ordinal)))
            source.ShouldContain(line);
    }

    /// <summary>The README's words, so that they compile.</summary>
    private static void Factory(IServiceCollection services)
    {
        services.AddKcdDelegation(o =>
        {
            o.Realm = "CONTOSO.COM";
            o.ServiceAccount.Name = "CONNECTOR$";
            o.ServiceAccount.Keytab = "/etc/kcd/connector.keytab";
            o.Kdcs.Add("dc1.contoso.com");                         // none: krb5.conf, then DNS SRV records
            o.Applications["erp"] = new DelegatedApplication
            {
                InternalUrl = new Uri("https://erp.contoso.com/"),
                ServicePrincipalName = "HTTP/erp.contoso.com",
                LoginIdentity = LoginIdentity.OnPremisesSamAccountName,
                TokenFormat = TokenFormat.Spnego,
            };
        });
        services.AddHttpClient("erp").AddKcdDelegation("erp");   // a fresh header per request, as the request's caller
    }

    private static KcdOptions InCode()
    {
        var services = new ServiceCollection();
        Factory(services);
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<Microsoft.Extensions.Options.IOptions<KcdOptions>>().Value;
    }

    private static string[] Flatten(KcdOptions options) =>
    [
        $"{options.Realm}", string.Join(",", options.Kdcs), $"{options.ServiceAccount.Name} {options.ServiceAccount.Keytab} {options.ServiceAccount.PasswordFile}",
        .. options.Realms.Keys, $"{options.Token.Authority}{options.Token.Audience}{options.Token.TenantId}",
        .. options.Applications.Select(application => $"{application.Key}: {string.Join(", ", typeof(DelegatedApplication).GetProperties().Select(property => $"{property.Name}={property.GetValue(application.Value)}"))}"),
    ];

    private static string Block(string name)
    {
        var readme = File.ReadAllText(Path.Combine(House.Root, "README.md"));
        var from = readme.IndexOf($"<!-- code: {name} -->", StringComparison.Ordinal);
        from.ShouldBeGreaterThan(0);
        from = readme.IndexOf('\n', readme.IndexOf("```", from, StringComparison.Ordinal)) + 1;
        return readme[from..readme.IndexOf("```", from, StringComparison.Ordinal)];
    }

    private static string[] Lines(string text) => [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
}
