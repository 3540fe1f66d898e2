using Microsoft.Extensions.Http;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>Connects requests to backends with the incoming request that they are sent for.</summary>
internal sealed class RequestTrackingHandler(ICallerAccessor callers) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var incoming = DelegatedRequest.TrackCurrent(request, callers);
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        incoming?.RecordRefusal(response);
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
