using System.Security.Claims;
using KcdDelegation.Testing;
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
        Configuration().GetSection("Kcd").Bind(bound);

        Flatten(bound).ShouldBe(Flatten(InCode()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_options_of_the_README_are_valid(bool fromConfiguration)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        if (fromConfiguration)
        {
            services.AddHttpClient("erp").AddKcdDelegation("erp");
            Configured(services, Configuration());
        }
        else
        {
            Factory(services);
        }
        // The keytab of the README does not exist here.
        services.PostConfigure<KcdOptions>(options => options.ServiceAccount.Keytab = Samples.KeyFile);
        await using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<DelegationClient>().ShouldNotBeNull();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("erp");
        client.ShouldNotBeNull();
    }

    [Fact]
    public async Task The_bare_client_of_the_README_calls_the_backend_as_the_tokens_user()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("kcd-readme-");
        try
        {
            await using var realm = TestRealm.Start("CONTOSO.COM").User("ada")
                .Account("CONNECTOR$", mayDelegateTo: ["HTTP/erp.contoso.com"]).Service("HTTP/erp.contoso.com");
            await using var issuer = await TestIssuer.StartAsync(cancellationToken: cancellation);
            await using var backend = await TestBackend.StartAsync(realm, "HTTP/erp.contoso.com", cancellationToken: cancellation);
            var options = InCode();
            options.ServiceAccount.Keytab = Path.Combine(folder.FullName, "connector.keytab");
            await realm.WriteKeytabAsync("CONNECTOR$", options.ServiceAccount.Keytab, cancellation);
            options.Kdcs[0] = realm.Endpoint.ToString();
            (options.Token.Authority, options.Token.TenantId) = (issuer.Authority, issuer.TenantId);
            (options.Applications["erp"].InternalUrl, options.Applications["erp"].AllowPlainHttp) = (backend.Url, true);
            var token = issuer.CreateToken("ada@contoso.com", new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["aud"] = options.Token.Audience,
                ["onprem_sam_account_name"] = "ada",
            });

            (await BareAsync(options, token, new Uri(backend.Url, "orders"))).ShouldBe("ada@CONTOSO.COM");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_code_of_the_README_is_the_code_that_is_tested_here()
    {
        var source = Lines(File.ReadAllText(Path.Combine(Repository.Root, "tests", "KcdDelegation.Tests", "Readme", "ReadmeTests.cs")));
        var shown = (Block("factory") + Block("configuration") + Block("bare"))
            .Replace("builder.Services", "services", StringComparison.Ordinal)
            .Replace("builder.Configuration", "configuration", StringComparison.Ordinal)
            .Replace("\"https://erp.contoso.com/orders\"", "orders", StringComparison.Ordinal);
        foreach (var line in Lines(shown))
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
            o.Token.Authority = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
            o.Token.Audience = "22222222-3333-4444-5555-666666666666"; // without these two, the host validates the tokens
            o.Token.TenantId = "11111111-2222-3333-4444-555555555555";
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

    private static void Configured(IServiceCollection services, IConfiguration configuration)
    {
        services.AddKcdDelegation(configuration.GetSection("Kcd"));
    }

    private static async Task<string> BareAsync(KcdOptions options, string token, Uri orders)
    {
        await using var client = DelegationClient.Create(options);        // the same KcdOptions
        using var http = new HttpClient(new KcdHandler(client, "erp"));

        ClaimsPrincipal caller = await client.ValidateTokenAsync(token);  // or a principal that your host validated
        using var request = new HttpRequestMessage(HttpMethod.Get, orders);
        request.SetCaller(caller);
        using var response = await http.SendAsync(request);                      // ERP answers as that user
        return await response.Content.ReadAsStringAsync();
    }

    private static IConfigurationRoot Configuration()
    {
        using var json = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Block("json")));
        return new ConfigurationBuilder().AddJsonStream(json).Build();
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
        $"{options.Realm}", string.Join(",", options.Kdcs),
            $"{options.ServiceAccount.Name} {options.ServiceAccount.Keytab} {options.ServiceAccount.PasswordFile}",
        .. options.Realms.Keys, $"{options.Token.Authority}{options.Token.Audience}{options.Token.TenantId}",
        .. options.Applications.Select(
            application => $"{application.Key}: {string.Join(
            ", ", typeof(DelegatedApplication).GetProperties()
            .Select(property => $"{property.Name}={property.GetValue(application.Value)}"))}"),
    ];

    private static string Block(string name)
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var from = readme.IndexOf($"<!-- code: {name} -->", StringComparison.Ordinal);
        from.ShouldBeGreaterThan(0);
        from = readme.IndexOf('\n', readme.IndexOf("```", from, StringComparison.Ordinal)) + 1;
        return readme[from..readme.IndexOf("```", from, StringComparison.Ordinal)];
    }

    private static string[] Lines(string text) => [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
}
