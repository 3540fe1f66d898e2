namespace KcdDelegation.Http;

/// <summary>The connections of requests without a user, such as health probes. Thread-safe.</summary>
/// <remarks>A backend may tie a user to a connection, so these are separate from the connections of all users. They are not limited by the
/// number of users: a probe must not fail because users wait.</remarks>
internal sealed class AnonymousConnections(SocketsHttpHandler handler) : IDisposable
{
    private readonly HttpMessageInvoker _invoker = new(handler, disposeHandler: true);

    /// <summary>Sends a request without a ticket, and removes the negotiation from the response.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await _invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        Challenge.RemoveNegotiation(response.Headers, Challenge.ReadAll(response.Headers));
        return response;
    }

    public void Dispose() => _invoker.Dispose();
}
