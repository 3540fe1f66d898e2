using KcdDelegation.Yarp.Clusters;
using KcdDelegation.Yarp.Cookies;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace KcdDelegation.Gateway.Applications;

/// <summary>Creates the client of an application without delegation. The gateway's credentials stay in the gateway there too, and a
/// sign-out ends its streams.</summary>
internal sealed class PlainClientFactory(
    ILogger<ForwarderHttpClientFactory> logger, GatewayCookies cookies, ICallerAccessor callers) : ForwarderHttpClientFactory(logger)
{
    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler) =>
        new ClusterClientHandler(cookies, callers) { InnerHandler = new CredentialHandler { InnerHandler = handler } };

    /// <summary>Removes the credentials of the request, which are for the gateway.</summary>
    private sealed class CredentialHandler : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Remove("Authorization");
            request.Headers.Remove("Proxy-Authorization");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
