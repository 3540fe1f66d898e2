using KcdDelegation;
using KcdDelegation.Yarp;
using KcdDelegation.Yarp.Clusters;
using KcdDelegation.Yarp.Cookies;
using KcdDelegation.Yarp.Forwarding;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers Kerberos constrained delegation for YARP.</summary>
public static class KcdReverseProxyBuilderExtensions
{
    /// <summary>Calls the destinations of every cluster with the metadata <c>KcdApplication</c> as the signed-in user. Other clusters are
    /// not changed.</summary>
    /// <remarks>
    /// <para>The destinations of the cluster are the origins of the application, at the moment of each request. The user is
    /// <c>HttpContext.User</c>; a request without one is not forwarded. Errors become the answers of <c>UseKcdDelegation</c>.</para>
    /// <para>It wraps YARP's forwarder and its factories of clients and health probes. Call it after <c>LoadFromConfig</c>, and set
    /// properties of the clients with <see cref="KcdReverseProxyOptions.ConfigureClient"/> instead of <c>ConfigureHttpClient</c>.</para>
    /// </remarks>
    /// <param name="builder">The reverse proxy. <c>AddKcdDelegation</c> of the service collection must be called too.</param>
    /// <param name="configure">Sets the options.</param>
    public static IReverseProxyBuilder AddKcdDelegation(
        this IReverseProxyBuilder builder, Action<KcdReverseProxyOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        var options = services.AddOptions<KcdReverseProxyOptions>();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(service => service.ServiceType == typeof(GatewayCookies)))
            return builder;

        services.AddKcdAspNetCore();
        services.PostConfigure<KcdOptions>(static settings => settings.ClustersHaveAddresses = true);
        services.AddHostedService<AddressCheckAtStart>();
        services.AddSingleton<GatewayCookies>();
        services.AddSingleton<ClusterTargets>();
        services.AddSingleton<ITransformProvider, DelegationTransforms>();
        services.AddSingleton<IClusterChangeListener, RemovedClusters>();
        services.Decorate<IForwarderHttpClientFactory>(static (provider, inner) =>
            ActivatorUtilities.CreateInstance<DelegatedClientFactory>(provider, inner));
        services.Decorate<IProbingRequestFactory>(static (_, inner) => new AnonymousProbes(inner));
        services.Decorate<IHttpForwarder>(static (_, inner) => new AnsweringForwarder(inner));
        return builder;
    }

    /// <summary>Replaces the last registration of a service by one that wraps it.</summary>
    private static void Decorate<TService>(this IServiceCollection services, Func<IServiceProvider, TService, TService> create)
        where TService : class
    {
        var inner = services.Last(service => service.ServiceType == typeof(TService));
        services.Replace(ServiceDescriptor.Singleton(provider => create(provider, (TService)Create(provider, inner))));
    }

    private static object Create(IServiceProvider provider, ServiceDescriptor descriptor) =>
        descriptor.ImplementationInstance
        ?? descriptor.ImplementationFactory?.Invoke(provider)
        ?? ActivatorUtilities.CreateInstance(provider, descriptor.ImplementationType!);
}
