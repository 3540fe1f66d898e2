using KcdDelegation.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;

namespace KcdDelegation;

/// <summary>Puts <see cref="KcdHandler"/> under a client of IHttpClientFactory, and sees that it stays there.</summary>
internal static class DelegatedHttpClient
{
    public static void Configure(IHttpClientBuilder builder, string application, Action<SocketsHttpHandler>? configureHandler)
    {
        builder.ConfigureHttpClient((services, client) =>
            client.BaseAddress ??= GetBaseAddress(services.GetRequiredService<DelegationClient>().GetApplication(application).InternalUrl));
        builder.ConfigurePrimaryHttpMessageHandler(services => new KcdHandler(
            services.GetRequiredService<DelegationClient>(), application, () => CreateHandler(configureHandler), GetCallerAccessor(services)));
        builder.SetHandlerLifetime(Timeout.InfiniteTimeSpan);

        // After every other configuration of the client: one that replaced the handler would send its requests without a user.
        builder.Services.PostConfigure<HttpClientFactoryOptions>(builder.Name, options => options.HttpMessageHandlerBuilderActions.Add(handlers =>
        {
            if (handlers.PrimaryHandler is not KcdHandler)
                throw new InvalidOperationException(
                    $"Another primary handler was set on the HTTP client \"{handlers.Name}\" after AddKcdDelegation(\"{application}\"): its requests would go out without a user. Remove it, or change the handler by AddKcdDelegation's configureHandler.");
        }));
    }

    /// <summary>RFC 3986 §5.2.3: a relative address replaces all behind the last slash, so that without a final one it would lead out of the
    /// application's path.</summary>
    private static Uri GetBaseAddress(Uri internalUrl) =>
        internalUrl.AbsolutePath.EndsWith('/') ? internalUrl : new Uri(internalUrl.GetLeftPart(UriPartial.Path) + "/");

    private static SocketsHttpHandler CreateHandler(Action<SocketsHttpHandler>? configure)
    {
        var handler = SocketsHttpHandlers.CreateDefault();
        configure?.Invoke(handler);
        return handler;
    }

    /// <summary>The handler lives longer than any scope: an accessor out of one would name the first caller for ever.</summary>
    private static ICallerAccessor? GetCallerAccessor(IServiceProvider services)
    {
        var callers = services.GetService<ICallerAccessor>();
        using var otherScope = services.CreateScope();
        return otherScope.ServiceProvider.GetService<ICallerAccessor>() == callers
            ? callers
            : throw new InvalidOperationException("ICallerAccessor has to be registered as a singleton: the handler that asks it outlives every scope.");
    }
}
