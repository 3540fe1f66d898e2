using KcdDelegation.AspNetCore;
using KcdDelegation.AspNetCore.Answers;
using KcdDelegation.AspNetCore.Requests;
using KcdDelegation.Diagnosis;
using KcdDelegation.Yarp.Clusters;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace KcdDelegation.Yarp.Forwarding;

/// <summary>Turns the errors of delegated requests into answers, after all transforms and inside of the host's middleware.</summary>
/// <remarks>YARP catches every exception of its client and sets 502 without a body.</remarks>
internal sealed class AnsweringForwarder(IHttpForwarder inner) : IHttpForwarder
{
    public ValueTask<ForwarderError> SendAsync(
        HttpContext context, string destinationPrefix, HttpMessageInvoker httpClient, ForwarderRequestConfig requestConfig,
        HttpTransformer transformer) =>
        SendAsync(context, destinationPrefix, httpClient, requestConfig, transformer, CancellationToken.None);

    public ValueTask<ForwarderError> SendAsync(
        HttpContext context, string destinationPrefix, HttpMessageInvoker httpClient, ForwarderRequestConfig requestConfig,
        HttpTransformer transformer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (ClusterMetadata.GetApplication(context.Features.Get<IReverseProxyFeature>()?.Cluster.Config.Metadata) is null)
            return inner.SendAsync(context, destinationPrefix, httpClient, requestConfig, transformer, cancellationToken);
        // The headers that the host's middleware has set. An answer keeps them, and drops those of the backend.
        if (DelegatedRequest.Current is { } request && context.Response.Headers.Count > 0)
            request.OuterHeaders = [.. context.Response.Headers];
        return AnswerAsync(
            context, inner.SendAsync(context, destinationPrefix, httpClient, requestConfig, transformer, cancellationToken));
    }

    private static async ValueTask<ForwarderError> AnswerAsync(HttpContext context, ValueTask<ForwarderError> sent)
    {
        var result = await sent.ConfigureAwait(false);
        if (context.RequestAborted.IsCancellationRequested)
            return result;
        if (context.Features.Get<RefusalFeature>() is { Refusal: var refusal })
        {
            await context.AnswerKcdRefusalAsync(refusal).ConfigureAwait(false);
        }
        else if (AnswerWriter.FindError(context.Features.Get<IForwarderErrorFeature>()?.Exception) is { } error)
        {
            if (!IsDestinationFault(error))
                context.Features.Set<IForwarderErrorFeature>(new RequestError(error));
            await context.AnswerKcdErrorAsync(error).ConfigureAwait(false);
        }
        return result;
    }

    /// <summary>Determines whether the destination caused the error. Passive health checks must count no others: a user who may not be
    /// delegated would otherwise make a destination unhealthy for all users.</summary>
    private static bool IsDestinationFault(KcdException error) =>
        error.EventId is KcdEventId.BackendNotProven or KcdEventId.CertificateChanged;

    /// <summary>An error that occurred before the request was sent.</summary>
    private sealed class RequestError(KcdException error) : IForwarderErrorFeature
    {
        public ForwarderError Error => ForwarderError.RequestCreation;

        public Exception Exception => error;
    }
}
