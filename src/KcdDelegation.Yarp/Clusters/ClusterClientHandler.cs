using KcdDelegation.AspNetCore.Requests;
using KcdDelegation.Yarp.Cookies;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>The outermost handler of a cluster's client. It keeps the gateway's cookies away from backends, in both directions, connects
/// the request with the incoming one, and refuses responses that cannot be passed on.</summary>
/// <remarks>A handler and not a transform: YARP copies the fields of a response before the transforms run, next to cookies that the gateway
/// itself has set. One handler and not three: each asynchronous layer is an object for each request.</remarks>
internal sealed class ClusterClientHandler(GatewayCookies cookies, ICallerAccessor callers) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var names = await cookies.GetNamesAsync().ConfigureAwait(false);
        CookieFields.RemoveFrom(request.Headers, names);
        var incoming = DelegatedRequest.TrackCurrent(request, callers);
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        incoming?.RecordRefusal(response);
        ResponseForm.ThrowIfFlawed(request, response);
        CookieFields.RemoveFrom(response.Headers, names);
        return response;
    }
}
