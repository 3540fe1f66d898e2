using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Yarp.ReverseProxy.Forwarder;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>The control: one <see cref="SocketsHttpHandler"/> for each user and a constant <c>Authorization</c> header.</summary>
internal sealed class UserHandlers(string authorization) : HttpMessageHandler
{
    private static readonly HttpRequestOptionsKey<string> s_user = new("KcdDelegation.Benchmarks.User");

    private readonly ConcurrentDictionary<string, HttpMessageInvoker> _handlers = new(StringComparer.Ordinal);

    /// <summary>Gets the time for which idle connections stay open, in the control, with delegation, and at the backend. It is longer than
    /// the measurement of all columns.</summary>
    public static TimeSpan IdleTimeout { get; } = TimeSpan.FromHours(2);

    public static void SetUser(HttpRequestMessage request, string user) => request.Options.Set(s_user, user);

    /// <summary>Creates a handler with YARP's defaults, except for idle connections.</summary>
    public static SocketsHttpHandler CreateHandler() => new()
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        EnableMultipleHttp2Connections = true,
        ActivityHeadersPropagator = new ReverseProxyPropagator(DistributedContextPropagator.Current),
        ConnectTimeout = TimeSpan.FromSeconds(15),
        PooledConnectionIdleTimeout = IdleTimeout,
    };

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Options.TryGetValue(s_user, out var user))
            throw new InvalidOperationException("The request has no user.");
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return _handlers.GetOrAdd(user, static _ => new HttpMessageInvoker(CreateHandler())).SendAsync(request, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var handler in _handlers.Values)
            handler.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Gives YARP the control as the client of each cluster.</summary>
    internal sealed class Factory(string authorization) : IForwarderHttpClientFactory
    {
        public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context) => new(new UserHandlers(authorization));
    }
}
