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
    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler)
    {
        var outermost = new ClusterClientHandler(cookies, callers);
        outermost.InnerHandler = new CredentialHandler(outermost.OnResponse) { InnerHandler = handler };
        return outermost;
    }

    /// <summary>Removes the credentials of the request, which are for the gateway, and passes the response to the outermost
    /// handler.</summary>
    private sealed class CredentialHandler(Action<HttpRequestMessage, HttpResponseMessage> onResponse) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Remove("Authorization");
            request.Headers.Remove("Proxy-Authorization");
            var response = await base.SendAsync(request, cancellationToken);
            onResponse(request, response);
            return response;
        }
    }
}
