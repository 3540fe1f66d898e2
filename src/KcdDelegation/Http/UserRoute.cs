using System.Runtime.ExceptionServices;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>The path of one request to the backend, over connections of its user. Not thread-safe.</summary>
internal sealed class UserRoute(UserConnectionPool connections, ApplicationSettings application, KerberosPrincipal user, Uri origin)
    : IDisposable
{
    /// <summary>The limit on attempts. Attempts also fail because the backend has closed a kept connection.</summary>
    /// <remarks>A request that met another certificate opens a connection of its own, which may present any certificate. A third attempt
    /// is needed only if that connection breaks.</remarks>
    private const int MaxAttempts = 4;

    private ConnectionLease _lease;

    private string OriginText => origin.GetLeftPart(UriPartial.Authority);

    /// <summary>Sends the request with a ticket, once. <see cref="SendAsync"/> continues after a failure.</summary>
    /// <remarks>Almost every request needs one attempt. It has no asynchronous method of its own, which would be an object for each
    /// request.</remarks>
    /// <exception cref="Exception">The attempt failed.</exception>
    public ValueTask<HttpResponseMessage> SendOnceAsync(
        HttpRequestMessage request, SentAuthorization authorization, CancellationToken cancellationToken)
    {
        if (!_lease.Exists)
        {
            var lease = LeaseAsync(request, cancellationToken);
            if (!lease.IsCompletedSuccessfully)
                return SendWhenLeasedAsync(lease, request, authorization, cancellationToken);
            _lease = lease.Result;
        }
        return _lease.Connection.SendAsync(request, authorization, cancellationToken);
    }

    /// <summary>Notes that the backend has answered.</summary>
    public void RecordAnswer() => connections.Services.BackendHasAnswered = true;

    /// <summary>Sends the request with or without a ticket.</summary>
    /// <remarks>If the connection breaks after the backend may have received the request, it is sent again with a new token if that is safe
    /// (RFC 9110 §9.2.2).</remarks>
    /// <param name="request">The request.</param>
    /// <param name="authorization">The value of its <c>Authorization</c> field; null to send it without a ticket.</param>
    /// <param name="failure">The failure of <see cref="SendOnceAsync"/>, which was the first attempt; null before it.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The response.</returns>
    /// <exception cref="HttpRequestException">No connection could be opened, or it broke.</exception>
    /// <exception cref="KcdException">Each new connection presents another certificate.</exception>
    public async ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, SentAuthorization? authorization, Exception? failure, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (failure is null && !_lease.Exists)
                _lease = await LeaseAsync(request, cancellationToken).ConfigureAwait(false);
            try
            {
                if (failure is { } first)
                {
                    failure = null;
                    ExceptionDispatchInfo.Throw(first);
                }
                var response = await _lease.Connection.SendAsync(request, authorization, cancellationToken).ConfigureAwait(false);
                RecordAnswer();
                return response;
            }
            catch (Exception error) when (UserConnection.NeedsOtherConnection(error))
            {
                // Nothing was sent.
            }
            catch (HttpRequestException error) when (error.InnerException is KcdException why)
            {
                // The ticket could not be set on the request after the connection was opened.
                ExceptionDispatchInfo.Throw(why);
                throw;
            }
            catch (TokenSpentException error)
            {
                if (!IsHarmlessTwice(request) || attempt == MaxAttempts - 1)
                    throw connections.Services.BackendHasAnswered
                        ? new HttpRequestException(HttpRequestError.ResponseEnded, error.Message, error)
                        : RequestVersion.CreateUnansweredError(OriginText, HttpRequestError.ResponseEnded, inner: null);
                continue;
            }
            catch (HttpRequestException error) when (!connections.Services.BackendHasAnswered && RequestVersion.MayCause(error))
            {
                throw RequestVersion.CreateUnansweredError(OriginText, error.HttpRequestError, error);
            }
            if (_lease.User.Key.User is null && connections.Services.SharingHasEnded)
                Dispose();
            else if (attempt < MaxAttempts - 1)
                _lease = _lease.User.Replace(_lease, request, authorization);
            else
                _lease.User.Retire(_lease.Connection);
        }
        throw new KcdException(new DelegationFailure(
            KcdStage.Target,
            KcdErrorKind.Unavailable, KcdEventId.CertificateChanged,
            $"Every new connection to {OriginText} presents another certificate, so no ticket can be bound to one. Nothing was sent.",
            "Use the same certificate on all servers at this address, or turn ChannelBinding off for the application.")
            {
                IsTransient = true,
            });
    }

    /// <summary>Determines whether the backend may carry out the request twice: it has no body, and its method is idempotent (RFC 9110
    /// §9.2.2).</summary>
    public static bool IsHarmlessTwice(HttpRequestMessage request) => request.Content is null
        && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head || request.Method == HttpMethod.Options
            || request.Method == HttpMethod.Put || request.Method == HttpMethod.Delete);

    private ValueTask<ConnectionLease> LeaseAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        connections.LeaseAsync(
            ConnectionKey.Create(application, user, request, origin), user, application.Connections, cancellationToken);

    private async ValueTask<HttpResponseMessage> SendWhenLeasedAsync(
        ValueTask<ConnectionLease> lease, HttpRequestMessage request, SentAuthorization authorization, CancellationToken cancellationToken)
    {
        _lease = await lease.ConfigureAwait(false);
        return await _lease.Connection.SendAsync(request, authorization, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Transfers the lease of the connections to the response's body.</summary>
    public void TransferLease(HttpResponseMessage response, HttpMethod method)
    {
        var lease = _lease;
        _lease = default;
        LeasedContent.Attach(response, method, lease);
    }

    public void Dispose()
    {
        if (!_lease.Exists)
            return;
        var lease = _lease;
        _lease = default;
        lease.End();
    }
}
