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
    /// <summary>Registers <see cref="DelegationClient"/> with options from code. A host does not start with wrong options.</summary>
    /// <param name="services">Gets singletons; what is registered already, such as an <see cref="IIdentityMapper"/>, stays.</param>
    /// <param name="configure">Sets the options.</param>
    public static IServiceCollection AddKcdDelegation(this IServiceCollection services, Action<KcdOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<KcdOptions>().Configure(configure);
        return services.AddAuthenticator();
    }

    /// <summary>Registers <see cref="DelegationClient"/> with options from configuration, which it follows while it runs. A host does not
    /// start with wrong options; a key that does not exist is one of the mistakes.</summary>
    /// <param name="services">Gets singletons; what is registered already, such as an <see cref="IIdentityMapper"/>, stays.</param>
    /// <param name="section">The section itself, such as <c>configuration.GetSection("Kcd")</c>.</param>
    public static IServiceCollection AddKcdDelegation(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        var options = services.AddOptions<KcdOptions>();
        if (section is IConfigurationSection { Path: var path })
            options.Configure(o => o.Section = path);
        // A setting that is misspelt would be a setting that is not in force.
        options.Bind(section, binder => binder.ErrorOnUnknownConfiguration = true);
        return services.AddAuthenticator();
    }

    /// <summary>Makes <see cref="KcdHandler"/> the client's primary handler. It owns the connections of all users, so it is made once and kept
    /// (an infinite handler lifetime; connections are renewed inside of it). A client without an address of its own gets the application's.
    /// <see cref="AddKcdDelegation(IServiceCollection, Action{KcdOptions})"/> has to be called too.</summary>
    /// <param name="builder">The client. Handlers that it gets besides run outside of this one.</param>
    /// <param name="application">The application's name in the options.</param>
    /// <param name="configureHandler">Changes each user's handler when it is made, TLS settings for example. Credentials, cookies, redirects
    /// and proxies are not for it to set.</param>
    /// <exception cref="InvalidOperationException">When the client is made: another primary handler was set after this call, the
    /// <see cref="ICallerAccessor"/> is not a singleton, or <paramref name="configureHandler"/> sets what would mix users up.</exception>
    public static IHttpClientBuilder AddKcdDelegation(
        this IHttpClientBuilder builder, string application, Action<SocketsHttpHandler>? configureHandler = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(application);
        DelegatedHttpClient.Configure(builder, application, configureHandler);
        return builder;
    }

    private static IServiceCollection AddAuthenticator(this IServiceCollection services)
    {
        services.TryAddSingleton(provider => new SettingsStore(
            provider.GetRequiredService<IOptionsFactory<KcdOptions>>(),
            provider.GetServices<IOptionsChangeTokenSource<KcdOptions>>(),
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

    private static ILoggerFactory GetLoggerFactory(IServiceProvider provider) => provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
}
