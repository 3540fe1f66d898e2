using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Http;

/// <summary>The path of one request to the backend, over connections of its user. Not thread-safe.</summary>
internal sealed class UserRoute(UserConnectionPool connections, ConnectionKey key, KerberosPrincipal user) : IDisposable
{
    /// <summary>The limit on attempts. Attempts also fail because the backend has closed a kept connection.</summary>
    /// <remarks>New connections accept any certificate, so the second attempt succeeds, unless other requests of the same user meet yet
    /// another certificate at the same time.</remarks>
    private const int MaxAttempts = 4;

    private ConnectionLease? _lease;

    /// <summary>Sends the request with or without a ticket.</summary>
    /// <remarks>If the connection breaks after the backend may have received the request, it is sent again with a new token if that is safe
    /// (RFC 9110 §9.2.2).</remarks>
    /// <returns>The response.</returns>
    /// <exception cref="HttpRequestException">No connection could be opened, or it broke.</exception>
    /// <exception cref="KcdException">Each new connection presents another certificate.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, SentAuthorization? authorization, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            _lease ??= await connections.LeaseAsync(connections.SharingHasEnded ? key with { User = user } : key, cancellationToken)
                .ConfigureAwait(false);
            try
            {
                if (await _lease.Connection.SendAsync(request, authorization, cancellationToken).ConfigureAwait(false) is { } response)
                {
                    connections.BackendHasAnswered = true;
                    return response;
                }
            }
            catch (TokenSpentException error)
            {
                if (!IsHarmlessTwice(request) || attempt == MaxAttempts - 1)
                    throw connections.BackendHasAnswered
                        ? new HttpRequestException(HttpRequestError.ResponseEnded, error.Message, error)
                        : RequestVersion.CreateUnansweredError(key.Origin, HttpRequestError.ResponseEnded, inner: null);
                continue;
            }
            catch (HttpRequestException error) when (!connections.BackendHasAnswered && RequestVersion.MayCause(error))
            {
                throw RequestVersion.CreateUnansweredError(key.Origin, error.HttpRequestError, error);
            }
            connections.Retire(_lease.Connection);
            Dispose();
        }
        throw new KcdException(new DelegationFailure(
            KcdStage.Target,
            KcdErrorKind.Unavailable, KcdEventId.CertificateChanged,
            $"Every new connection to {key.Origin} presents another certificate, so no ticket can be bound to one. Nothing was sent.",
            "Use the same certificate on all servers at this address, or turn ChannelBinding off for the application.")
            {
                IsTransient = true,
            });
    }

    private static bool IsHarmlessTwice(HttpRequestMessage request) => request.Content is null
        && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head || request.Method == HttpMethod.Options
            || request.Method == HttpMethod.Put || request.Method == HttpMethod.Delete);

    /// <summary>Transfers the lease of the connections to the response's body.</summary>
    public void TransferLease(HttpResponseMessage response, HttpMethod method)
    {
        LeasedContent.Attach(response, method, _lease!);
        _lease = null;
    }

    public void Dispose()
    {
        _lease?.Dispose();
        _lease = null;
    }
}
