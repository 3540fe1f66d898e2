using KcdDelegation.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;

namespace KcdDelegation;

/// <summary>Makes <see cref="KcdHandler"/> the primary handler of an IHttpClientFactory client, and rejects other primary
/// handlers.</summary>
internal static class DelegatedHttpClient
{
    public static void Configure(IHttpClientBuilder builder, string application, Action<SocketsHttpHandler>? configureHandler)
    {
        builder.ConfigureHttpClient((services, client) =>
        {
            if (services.GetRequiredService<DelegationClient>().GetApplication(application).InternalUrl is { } url)
                client.BaseAddress ??= GetBaseAddress(url);
        });
        builder.ConfigurePrimaryHttpMessageHandler(services => new KcdHandler(
            services.GetRequiredService<DelegationClient>(),
            application,
            () => CreateHandler(configureHandler),
            GetCallerAccessor(services)));
        builder.SetHandlerLifetime(Timeout.InfiniteTimeSpan);

        // Runs after every other configuration of the client: a handler that replaces this one would send requests without a user.
        builder.Services.PostConfigure<HttpClientFactoryOptions>(
            builder.Name, options => options.HttpMessageHandlerBuilderActions.Add(handlers =>
        {
            if (handlers.PrimaryHandler is not KcdHandler)
                throw new InvalidOperationException(
                    $"Another primary handler was set on the HTTP client \"{handlers.Name}\" after AddKcdDelegation(\"{application}\"). "
                        + "Its requests would be sent without a user. "
                        + "Remove it, or change the handler with the configureHandler argument of AddKcdDelegation.");
        }));
    }

    /// <summary>Returns the application's address with a final slash.</summary>
    /// <remarks>RFC 3986 §5.2.3: a relative address replaces everything after the last slash. Without a final slash, relative addresses
    /// would leave the application's path.</remarks>
    private static Uri GetBaseAddress(Uri internalUrl) =>
        internalUrl.AbsolutePath.EndsWith('/') ? internalUrl : new Uri(internalUrl.GetLeftPart(UriPartial.Path) + "/");

    private static SocketsHttpHandler CreateHandler(Action<SocketsHttpHandler>? configure)
    {
        var handler = SocketsHttpHandlers.CreateDefault();
        configure?.Invoke(handler);
        return handler;
    }

    /// <summary>Gets the accessor of the caller, and rejects one that is not a singleton.</summary>
    /// <remarks>The handler outlives every scope. An accessor of a scope would name that scope's caller for all later requests.</remarks>
    private static ICallerAccessor? GetCallerAccessor(IServiceProvider services)
    {
        var callers = services.GetService<ICallerAccessor>();
        using var otherScope = services.CreateScope();
        return otherScope.ServiceProvider.GetService<ICallerAccessor>() == callers
            ? callers
            : throw new InvalidOperationException(
                "ICallerAccessor must be registered as a singleton: the handler that uses it outlives every scope.");
    }
}
