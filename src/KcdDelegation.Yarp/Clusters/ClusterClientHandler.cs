using KcdDelegation.AspNetCore.Requests;
using KcdDelegation.Yarp.Cookies;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>The outermost handler of a cluster's client. It keeps the gateway's cookies away from backends, in both directions, connects
/// the request with the incoming one, and refuses responses that cannot be passed on.</summary>
/// <remarks>A handler and not a transform: YARP copies the fields of a response before the transforms run, next to cookies that the gateway
/// itself has set. The handlers inside call <see cref="OnResponse"/>, because each asynchronous layer is an object for each
/// request.</remarks>
internal sealed class ClusterClientHandler(GatewayCookies cookies, ICallerAccessor callers) : DelegatingHandler
{
    /// <summary>Checks a response before YARP sees it.</summary>
    /// <exception cref="HttpRequestException">The response cannot be passed on. It was disposed.</exception>
    public void OnResponse(HttpRequestMessage request, HttpResponseMessage response)
    {
        DelegatedRequest.Current?.RecordRefusal(response);
        ResponseForm.ThrowIfFlawed(request, response);
        CookieFields.RemoveFrom(response.Headers, cookies.Names);
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var reading = cookies.ReadNamesAsync();
        return reading.IsCompletedSuccessfully
            ? SendTracked(request, cancellationToken)
            : SendWhenReadAsync(reading, request, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendWhenReadAsync(
        Task reading, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await reading.ConfigureAwait(false);
        return await SendTracked(request, cancellationToken).ConfigureAwait(false);
    }

    private Task<HttpResponseMessage> SendTracked(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        CookieFields.RemoveFrom(request.Headers, cookies.Names);
        DelegatedRequest.TrackCurrent(request, callers, ClusterTargetHandler.FindForwarded(request)?.Caller);
        return base.SendAsync(request, cancellationToken);
    }
}
