using KcdDelegation.Diagnosis;

namespace KcdDelegation.Http;

/// <summary>The way of one request to the backend, over connections of its user. Not thread-safe.</summary>
internal sealed class UserRoute(UserConnections connections, ConnectionKey key) : IDisposable
{
    /// <summary>New connections start without a memory of certificates, so the second goes through, unless others of the same user meet yet
    /// another certificate at the same time.</summary>
    private const int MaxAttempts = 4;

    private ConnectionLease? _lease;

    /// <summary>Sends with a ticket, or without one.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, SentAuthorization? authorization, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            _lease ??= await connections.LeaseAsync(key, cancellationToken).ConfigureAwait(false);
            if (await _lease.Connection.SendAsync(request, authorization, cancellationToken).ConfigureAwait(false) is { } response)
                return response;
            connections.Retire(_lease.Connection);
            Dispose();
        }
        throw new KcdException(new KcdFailure(
            KcdStage.Target,
            KcdEventId.CertificateChanged,
            $"Every new connection to {key.Origin} shows another certificate, so that no ticket can be bound to one. Nothing was sent.",
            "Give the servers behind this address one certificate, or turn ChannelBinding off for the application.") { IsTransient = true });
    }

    /// <summary>From here on the response's body keeps the connections.</summary>
    public void HandOver(HttpResponseMessage response, HttpMethod method)
    {
        LeasedContent.PutOn(response, method, _lease!);
        _lease = null;
    }

    public void Dispose()
    {
        _lease?.Dispose();
        _lease = null;
    }
}
