using KcdDelegation;
using KcdDelegation.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers Kerberos constrained delegation.</summary>
public static class KcdServiceCollectionExtensions
{
    /// <summary>Registers <see cref="DelegationClient"/> with options from code. A host with invalid options does not start.</summary>
    /// <param name="services">The service collection. Existing registrations, such as an <see cref="IIdentityMapper"/>, are kept.</param>
    /// <param name="configure">Sets the options.</param>
    public static IServiceCollection AddKcdDelegation(this IServiceCollection services, Action<KcdOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<KcdOptions>().Configure(configure);
        return services.AddDelegationClient();
    }

    /// <summary>Registers <see cref="DelegationClient"/> with options from configuration, and follows changes of the configuration. A host
    /// with invalid options or unknown keys does not start.</summary>
    /// <remarks>A misspelt key is an error, because the intended setting would silently not apply. The exception lists every error by its
    /// key.</remarks>
    /// <param name="services">The service collection. Existing registrations, such as an <see cref="IIdentityMapper"/>, are kept.</param>
    /// <param name="section">The section itself, such as <c>configuration.GetSection("Kcd")</c>.</param>
    public static IServiceCollection AddKcdDelegation(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        var source = new ConfigurationSource(section);
        services.AddOptions<KcdOptions>().Configure(source.Bind);
        services.AddSingleton<IOptionsChangeTokenSource<KcdOptions>>(source);
        return services.AddDelegationClient();
    }

    /// <summary>Makes <see cref="KcdHandler"/> the client's primary handler.
    /// <see cref="AddKcdDelegation(IServiceCollection, Action{KcdOptions})"/> must be called too.</summary>
    /// <remarks>The handler owns the connections of all users, so it is created once and kept with an infinite handler lifetime. It renews
    /// its connections itself. A client without a base address gets the application's.</remarks>
    /// <param name="builder">The client. Its other handlers run outside of this one.</param>
    /// <param name="application">The application's name in the options.</param>
    /// <param name="configureHandler">Changes each user's handler when it is created, for example its TLS settings. It must not set
    /// credentials, cookies, redirects or proxies.</param>
    /// <exception cref="InvalidOperationException">Thrown when the client is created: another primary handler was set after this call, the
    /// <see cref="ICallerAccessor"/> is not a singleton, or <paramref name="configureHandler"/> sets a value that would let users share
    /// state.</exception>
    public static IHttpClientBuilder AddKcdDelegation(
        this IHttpClientBuilder builder, string application, Action<SocketsHttpHandler>? configureHandler = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(application);
        DelegatedHttpClient.Configure(builder, application, configureHandler);
        return builder;
    }

    private static IServiceCollection AddDelegationClient(this IServiceCollection services)
    {
        services.TryAddSingleton(provider => new SettingsStore(
            provider.GetRequiredService<IOptionsFactory<KcdOptions>>(),
            provider.GetServices<IOptionsChangeTokenSource<KcdOptions>>(),
            provider.GetService<IConfiguration>(),
            GetLoggerFactory(provider)));
        services.TryAddSingleton<IIdentityMapper, ClaimsIdentityMapper>();
        services.TryAddSingleton(provider => new DelegationClient(
            provider.GetRequiredService<SettingsStore>(),
            provider.GetRequiredService<IIdentityMapper>(),
            GetLoggerFactory(provider),
            provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SettingsCheckAtStart>());
        return services;
    }

    private static ILoggerFactory GetLoggerFactory(IServiceProvider provider) =>
        provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
}
