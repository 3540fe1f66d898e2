namespace KcdDelegation.Yarp.Cookies;

/// <summary>Keeps the gateway's cookies away from backends, in both directions.</summary>
/// <remarks>A handler and not a transform: YARP copies the fields of a response before the transforms run, next to cookies that the gateway
/// itself has set.</remarks>
internal sealed class GatewayCookieHandler(GatewayCookies cookies) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var names = await cookies.GetNamesAsync().ConfigureAwait(false);
        CookieFields.RemoveFrom(request.Headers, names);
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        CookieFields.RemoveFrom(response.Headers, names);
        return response;
    }
}
