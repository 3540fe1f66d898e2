using Microsoft.Extensions.Http;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>Connects requests to backends with the incoming request that they are sent for.</summary>
internal sealed class RequestTrackingHandler(ICallerAccessor callers) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        DelegatedRequest.Current is { } current
            ? SendAsync(current, request, cancellationToken)
            : base.SendAsync(request, cancellationToken);

    private async Task<HttpResponseMessage> SendAsync(
        DelegatedRequest current, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if ((request.GetCaller() ?? callers.Caller) is { } caller)
            current.Track(caller);
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.GetKcdRefusal() is { } refusal)
            current.Record(new BackendRefusal(refusal, response.StatusCode));
        return response;
    }

    /// <summary>Adds the handler to every client of IHttpClientFactory whose primary handler delegates.</summary>
    internal sealed class Filter(ICallerAccessor callers) : IHttpMessageHandlerBuilderFilter
    {
        public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
        {
            next(builder);
            // The innermost handler: a handler that retries is outside, and each attempt is seen.
            if (builder.PrimaryHandler is KcdHandler)
                builder.AdditionalHandlers.Add(new RequestTrackingHandler(callers));
        };
    }
}
