using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using KcdDelegation.Yarp.Cookies;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>Creates the client of a cluster: for delegated clusters one with a <see cref="KcdHandler"/>, for others the one of the factory
/// that was registered before.</summary>
/// <remarks>The destinations do not reach a factory of YARP, and they change without a new client. <see cref="ClusterTargets"/> therefore
/// decides on each request where it may go.</remarks>
internal sealed class DelegatedClientFactory(
    IForwarderHttpClientFactory inner,
    DelegationClient client,
    GatewayCookies cookies,
    ClusterTargets targets,
    ICallerAccessor callers,
    IOptions<KcdReverseProxyOptions> options,
    ILogger<ForwarderHttpClientFactory> logger) : ForwarderHttpClientFactory(logger), IForwarderHttpClientFactory
{
    /// <summary>YARP's own time-out of connections.</summary>
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(15);

    private readonly ConditionalWeakTable<ForwarderHttpClientContext, KcdHandler> _created = [];
    private readonly ConditionalWeakTable<HttpMessageInvoker, KcdHandler> _handlers = [];

    HttpMessageInvoker IForwarderHttpClientFactory.CreateClient(ForwarderHttpClientContext context)
    {
        var created = Create(context);
        if (created != context.OldClient)
            Retire(context.OldClient);
        return created;
    }

    /// <summary>Closes the connections of a client whose cluster has another one now, or was removed, when their last responses have been
    /// read.</summary>
    /// <remarks>It is not disposed: requests that YARP has already routed still use it.</remarks>
    public void Retire(HttpMessageInvoker? client)
    {
        if (client is not null && _handlers.TryGetValue(client, out var handler))
            handler.Retire();
    }

    /// <summary>Compares the application as well: YARP compares the cluster's <c>HttpClient</c> section only.</summary>
    protected override bool CanReuseOldClient(ForwarderHttpClientContext context) =>
        base.CanReuseOldClient(context)
        && ClusterMetadata.GetApplication(context.OldMetadata) is { } old
        && string.Equals(old, ClusterMetadata.GetApplication(context.NewMetadata), StringComparison.OrdinalIgnoreCase);

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler)
    {
        // Each user gets a separate handler with the same configuration.
        handler.Dispose();
        var application = ClusterMetadata.GetApplication(context.NewMetadata)!;
        var outermost = new ClusterClientHandler(cookies, callers);
        var delegating = new KcdHandler(client, application, () => CreateHandler(context), callers: null, outermost.OnResponse);
        _created.AddOrUpdate(context, delegating);
        outermost.InnerHandler = new ClusterTargetHandler(targets, context.ClusterId, application) { InnerHandler = delegating };
        return outermost;
    }

    private HttpMessageInvoker Create(ForwarderHttpClientContext context)
    {
        var hadApplication = ClusterMetadata.GetApplication(context.OldMetadata) is not null;
        if (ClusterMetadata.GetApplication(context.NewMetadata) is null)
            // A cluster that is no longer delegated must not keep the client that delegates.
            return inner.CreateClient(hadApplication ? WithoutOldClient(context) : context);
        var created = CreateClient(context);
        if (_created.TryGetValue(context, out var handler))
            _handlers.AddOrUpdate(created, handler);
        return created;
    }

    private SocketsHttpHandler CreateHandler(ForwarderHttpClientContext context)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ActivityHeadersPropagator = new ReverseProxyPropagator(DistributedContextPropagator.Current),
            ConnectTimeout = s_connectTimeout,
        };
        ConfigureHandler(context, handler);
        options.Value.ConfigureClient?.Invoke(context, handler);
        return handler;
    }

    private static ForwarderHttpClientContext WithoutOldClient(ForwarderHttpClientContext context) => new()
    {
        ClusterId = context.ClusterId,
        NewConfig = context.NewConfig,
        NewMetadata = context.NewMetadata,
    };
}
