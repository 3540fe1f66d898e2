using System.Security.Claims;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;

namespace KcdDelegation.Tests.Http;

public sealed class HttpClientBuilderTests
{
    [Fact]
    public async Task The_client_keeps_its_handler_and_has_the_application_s_address()
    {
        await using var provider = Services().BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("erp");
        client.BaseAddress.ShouldBe(new Uri("https://erp.contoso.com/"));

        var options = provider.GetRequiredService<Microsoft.Extensions.Options.IOptionsMonitor<HttpClientFactoryOptions>>().Get("erp");
        options.HandlerLifetime.ShouldBe(Timeout.InfiniteTimeSpan);
        var handler = provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("erp");
        while (handler is DelegatingHandler outer)
            handler = outer.InnerHandler!;
        handler.ShouldBeOfType<KcdHandler>();
    }

    [Fact]
    public async Task Relative_addresses_stay_inside_of_an_application_with_a_path()
    {
        var services = Services();
        services.PostConfigure<KcdOptions>(
            options => options.Applications["erp"].InternalUrl = new Uri("https://erp.contoso.com/sales/v1"));
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("erp");
        new Uri(client.BaseAddress.ShouldNotBeNull(), "orders").ShouldBe(new Uri("https://erp.contoso.com/sales/v1/orders"));
    }

    [Fact]
    public async Task A_client_with_a_base_address_keeps_it()
    {
        var services = Services();
        services.AddHttpClient("erp", client => client.BaseAddress = new Uri("https://erp.contoso.com/api/"));
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("erp");
        client.BaseAddress.ShouldBe(new Uri("https://erp.contoso.com/api/"));
    }

    [Fact]
    public async Task A_primary_handler_set_later_is_an_error_when_the_client_is_created()
    {
        var services = Services();
        services.AddHttpClient("erp").ConfigurePrimaryHttpMessageHandler(() => new HttpClientHandler());
        await using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<IHttpClientFactory>();
        Should.Throw<InvalidOperationException>(() => factory.CreateClient("erp")).Message.ShouldContain("without a user");
        factory.CreateClient("another").Dispose();
    }

    [Fact]
    public async Task An_accessor_of_callers_that_is_not_a_singleton_is_an_error()
    {
        var services = Services();
        services.AddScoped<ICallerAccessor, NoCaller>();
        await using var provider = services.BuildServiceProvider();
        Should.Throw<InvalidOperationException>(
            () => provider.GetRequiredService<IHttpClientFactory>().CreateClient("erp")).Message.ShouldContain("singleton");
    }

    [Fact]
    public async Task A_singleton_accessor_provides_the_caller()
    {
        var services = Services();
        services.AddSingleton<ICallerAccessor, NoCaller>();
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("erp");
        var error = await Should.ThrowAsync<KcdException>(
            () => client.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken));
        error.Stage.ShouldBe(KcdStage.Identity);
        ((NoCaller)provider.GetRequiredService<ICallerAccessor>()).Asked.ShouldBe(1);
    }

    [Fact]
    public async Task A_hook_that_would_let_users_share_state_is_an_error_when_the_client_is_created()
    {
        await using var provider = Services(handler => handler.PreAuthenticate = true).BuildServiceProvider();
        Should.Throw<InvalidOperationException>(
            () => provider.GetRequiredService<IHttpClientFactory>().CreateClient("erp")).Message.ShouldContain("PreAuthenticate");
    }

    [Fact]
    public async Task An_application_that_is_not_configured_is_an_error_when_the_client_is_created()
    {
        var services = Services();
        services.AddHttpClient("other").AddKcdDelegation("other");
        await using var provider = services.BuildServiceProvider();
        Should.Throw<KcdException>(() => provider.GetRequiredService<IHttpClientFactory>().CreateClient("other"));
    }

    private static ServiceCollection Services(Action<SocketsHttpHandler>? configureHandler = null)
    {
        var services = new ServiceCollection();
        services.AddKcdDelegation(o =>
        {
            o.Realm = "CONTOSO.COM";
            o.ServiceAccount.Name = "CONNECTOR$";
            o.ServiceAccount.Keytab = Samples.KeyFile;
            o.Kdcs.Add("dc1.contoso.com");
            o.Applications["erp"] = new DelegatedApplication
            {
                InternalUrl = new Uri("https://erp.contoso.com/"),
                ServicePrincipalName = "HTTP/erp.contoso.com",
            };
        });
        services.AddHttpClient("erp").AddKcdDelegation("erp", configureHandler);
        return services;
    }

    private sealed class NoCaller : ICallerAccessor
    {
        public int Asked { get; private set; }

        public ClaimsPrincipal? Caller
        {
            get
            {
                Asked++;
                return null;
            }
        }
    }
}
