using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Http;

/// <summary>The way of one request to the backend, over connections of its user. Not thread-safe.</summary>
internal sealed class UserRoute(UserConnectionPool connections, ConnectionKey key, KerberosPrincipal user) : IDisposable
{
    /// <summary>New connections start without a memory of certificates, so the second goes through, unless others of the same user meet yet
    /// another certificate at the same time. Kept connections that the backend has closed meanwhile use attempts up as well.</summary>
    private const int MaxAttempts = 4;

    private ConnectionLease? _lease;

    /// <summary>Sends with a ticket, or without one. A request that the backend may have got, since the connection broke only then, is sent
    /// again with a new token if that does no harm (RFC 9110 §9.2.2).</summary>
    /// <exception cref="HttpRequestException">There is no connection, or it broke.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, SentAuthorization? authorization, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            _lease ??= await connections.LeaseAsync(connections.SharingHasEnded ? key with { User = user } : key, cancellationToken).ConfigureAwait(false);
            try
            {
                if (await _lease.Connection.SendAsync(request, authorization, cancellationToken).ConfigureAwait(false) is { } response)
                    return response;
            }
            catch (TokenSpentException error)
            {
                if (!IsHarmlessTwice(request) || attempt == MaxAttempts - 1)
                    throw new HttpRequestException(HttpRequestError.ResponseEnded, error.Message, error);
                continue;
            }
            connections.Retire(_lease.Connection);
            Dispose();
        }
        throw new KcdException(new DelegationFailure(
            KcdStage.Target,
            KcdEventId.CertificateChanged,
            $"Every new connection to {key.Origin} shows another certificate, so that no ticket can be bound to one. Nothing was sent.",
            "Give the servers behind this address one certificate, or turn ChannelBinding off for the application.") { IsTransient = true });
    }

    private static bool IsHarmlessTwice(HttpRequestMessage request) => request.Content is null
        && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head || request.Method == HttpMethod.Options
            || request.Method == HttpMethod.Put || request.Method == HttpMethod.Delete);

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
