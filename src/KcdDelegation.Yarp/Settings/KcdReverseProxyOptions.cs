using Yarp.ReverseProxy.Forwarder;

namespace KcdDelegation.Yarp;

/// <summary>Options of delegation for YARP.</summary>
public sealed class KcdReverseProxyOptions
{
    /// <summary>Gets the names of cookies that belong to the gateway. They are neither sent to backends nor accepted from them.</summary>
    /// <remarks>A name that ends with <c>*</c> is a prefix. The cookies of the registered cookie authentication schemes with their parts,
    /// of sign-ins in progress, of sessions, of antiforgery tokens and of the cluster's session affinity are always among them.</remarks>
    public IList<string> GatewayCookies { get; } = [];

    /// <summary>Gets or sets a callback that changes each user's handler of a delegated cluster when it is created, after YARP's
    /// defaults and the cluster's <c>HttpClient</c> section.</summary>
    /// <remarks>It must not set credentials, cookies, redirects or proxies.</remarks>
    public Action<ForwarderHttpClientContext, SocketsHttpHandler>? ConfigureClient { get; set; }
}
