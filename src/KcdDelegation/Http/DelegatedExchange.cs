using System.Globalization;
using System.Net;
using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>One request as the user, from the caller to a response that may be passed on.</summary>
/// <remarks>The backend gets the request once with a ticket. It may get it once before that without a ticket, if the application starts on
/// challenge. After a refusal it gets the request at most once more in the other token format, if the format must be learned, and once more
/// with a new ticket, if the refused one was cached. <see cref="UserRoute"/> repeats a request whose connection breaks before the
/// response.</remarks>
/// <param name="source">The source of tickets.</param>
/// <param name="application">The settings of the application.</param>
/// <param name="caller">The caller, who is authenticated; null for none.</param>
/// <param name="learned">What is known of the backend.</param>
/// <param name="onResponse">The host's check of each response that is passed on; null for none.</param>
internal sealed class DelegatedExchange(
    IDelegationSource source, ApplicationSettings application, ClaimsPrincipal? caller, LearnedBackend learned,
    Action<HttpRequestMessage, HttpResponseMessage>? onResponse)
{
    /// <summary>The limit on tickets that are requested because the one before was evicted before its use. With a small cache and many
    /// users that can happen to the next one too.</summary>
    private const int MaxFetches = 3;

    private DelegatedCredential _credential;
    private bool _canRepeat;
    private bool _hasAskedForNewTicket;

    private ResponseCheck Responses => new(application, learned, source.Logger);

    /// <summary>Gets the caller's ticket and sends the request with it.</summary>
    /// <exception cref="KcdException">The request was not sent, or the backend did not prove its identity.</exception>
    /// <exception cref="HttpRequestException">The connection failed.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, UserConnectionPool connections, CancellationToken cancellationToken)
    {
        try
        {
            var origin = RequestTarget.GetOrigin(application, request);
            OutgoingRequest.Prepare(request);
            await GetCredentialAsync(cancellationToken).ConfigureAwait(false);
            var mayRepeat = application.Start == AuthenticationStart.OnChallenge || application.TokenFormat == TokenFormat.Auto
                || _credential.IsFromCache;
            _canRepeat = request.Content is null
                || (mayRepeat && await RequestBody.TryKeepAsync(request.Content, cancellationToken).ConfigureAwait(false));

            using var route = new UserRoute(connections, application, _credential.Ticket.User, origin);
            // A body that cannot be sent twice is sent with a ticket at once: without one it would be consumed by the backend's 401. So is
            // a request without a body that may be carried out once only. If the connection breaks, .NET sends any request without a body
            // again, and only a ticket stops it.
            var startsWithoutTicket = application.Start == AuthenticationStart.OnChallenge && _canRepeat
                && (request.Content is not null || UserRoute.IsHarmlessTwice(request));
            var response = startsWithoutTicket
                ? await SendWithoutTicketAsync(request, route, cancellationToken).ConfigureAwait(false) : null;
            if (response is null)
            {
                // A backend that has accepted the format before is more likely to refuse the ticket than the format.
                var suspectsFormat = application.TokenFormat == TokenFormat.Auto && !learned.Format.IsProven;
                var sent = new SentAuthorization(_credential, learned.Format.GetFormat(application.TokenFormat));
                Exception? failure = null;
                try
                {
                    response = await route.SendOnceAsync(request, sent, cancellationToken).ConfigureAwait(false);
                    route.RecordAnswer();
                }
                catch (Exception error)
                {
                    // Thrown again or handled where the further attempts are made.
                    failure = error;
                }
                var attempt = response is not null ? TicketAttempt.Read(response, sent)
                    : await SendTicketAsync(request, route, sent, failure, cancellationToken).ConfigureAwait(false);
                if (attempt.Answer.IsRefusal || attempt.Answer.IsForbiddenWithoutChallenge)
                    attempt = await RepeatAsync(attempt, suspectsFormat, request, route, cancellationToken).ConfigureAwait(false);
                LearnFormat(attempt);
                response = Responses.Pass(attempt, request);
            }
            route.TransferLease(response, request.Method);
            onResponse?.Invoke(request, response);
            return response;
        }
        catch (KcdException refusal)
        {
            Log.Refused(source.Audit, application.Name, caller, refusal);
            throw;
        }
        finally
        {
            SentAuthorization.RemoveFrom(request);
        }
    }

    /// <summary>Sends the request without a ticket. Returns null if the backend asks for one.</summary>
    private async ValueTask<HttpResponseMessage?> SendWithoutTicketAsync(
        HttpRequestMessage request, UserRoute route, CancellationToken cancellationToken)
    {
        var response = await route.SendAsync(request, authorization: null, failure: null, cancellationToken).ConfigureAwait(false);
        var answer = BackendAnswer.Read(response);
        // Without a challenge the resource is public, or the backend has tied this connection to the user.
        if (!answer.IsChallenge)
            return Responses.PassUnauthenticated(response, answer);
        if (!answer.AcceptsTickets || !IsSafeToRepeat(request, answer))
            return Responses.Refuse(response, answer, sent: null);
        response.Dispose();
        return null;
    }

    /// <summary>Sends a refused request again, as long as the refusal may have another cause than the user.</summary>
    private async Task<TicketAttempt> RepeatAsync(
        TicketAttempt attempt, bool suspectsFormat, HttpRequestMessage request, UserRoute route, CancellationToken cancellationToken)
    {
        var isAuto = application.TokenFormat == TokenFormat.Auto;
        if (suspectsFormat)
            attempt = await RepeatInOtherFormatAsync(attempt, request, route, cancellationToken).ConfigureAwait(false);
        attempt = await RepeatWithNewTicketAsync(attempt, request, route, cancellationToken).ConfigureAwait(false);
        if (isAuto && !suspectsFormat)
            attempt = await RepeatInOtherFormatAsync(attempt, request, route, cancellationToken).ConfigureAwait(false);
        return attempt;
    }

    /// <summary>Remembers the token format of a response that proves it.</summary>
    private void LearnFormat(TicketAttempt attempt)
    {
        if (application.TokenFormat == TokenFormat.Auto && attempt.ProvesFormat && learned.Format.RecordAccepted(attempt.Sent.Format))
            Log.FormatLearnt(source.Logger, application.Name, attempt.Sent.Format);
    }

    /// <summary>Sends the request again in the other format, if the backend refused the ticket in this one.</summary>
    private async Task<TicketAttempt> RepeatInOtherFormatAsync(
        TicketAttempt attempt, HttpRequestMessage request, UserRoute route, CancellationToken cancellationToken)
    {
        if (!attempt.Answer.IsRefusal || !attempt.Answer.AcceptsTickets || !_canRepeat || !IsSafeToRepeat(request, attempt.Answer))
            return attempt;
        attempt.Response.Dispose();
        var sent = new SentAuthorization(_credential, LearnedFormat.GetOther(attempt.Sent.Format));
        var other = await SendTicketAsync(request, route, sent, failure: null, cancellationToken).ConfigureAwait(false);
        return other with { FollowsOtherFormat = other.Sent.Ticket == attempt.Sent.Ticket };
    }

    /// <summary>Replaces a refused ticket that the service's key may no longer open, and sends the request again if that is
    /// possible.</summary>
    private async Task<TicketAttempt> RepeatWithNewTicketAsync(
        TicketAttempt attempt, HttpRequestMessage request, UserRoute route, CancellationToken cancellationToken)
    {
        if (_hasAskedForNewTicket || !MayBeOutdated(attempt))
            return attempt;
        _hasAskedForNewTicket = true;
        if (await ReplaceTicketAsync(attempt, cancellationToken).ConfigureAwait(false) is not { } replacement)
            return attempt;
        var (old, status) = (attempt.Sent.Ticket, (int)attempt.Answer.Status);
        learned.ServiceKey.Record(replacement.Ticket);
        // The status alone does not prove a refusal of the ticket: with the same key the new ticket would be answered in the same way.
        if (!attempt.Answer.IsRefusal && LearnedServiceKey.IsSame(old, replacement.Ticket))
            return attempt;

        var (oldKey, newKey) = (LearnedServiceKey.Describe(old), LearnedServiceKey.Describe(replacement.Ticket));
        // Connections belong to the user that the ticket names.
        if (!_canRepeat || !IsSafeToRepeat(request, attempt.Answer) || replacement.Ticket.User != old.User)
        {
            Log.TicketReplaced(source.Logger, application.Name, application.Service.ToString(), status, oldKey, newKey);
            return attempt;
        }
        Log.RequestSentWithNewTicket(source.Logger, application.Name, application.Service.ToString(), status, oldKey, newKey);
        attempt.Response.Dispose();
        _credential = replacement;
        var sent = new SentAuthorization(_credential, attempt.Sent.Format);
        return await SendTicketAsync(request, route, sent, failure: null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Determines whether another ticket may be accepted where this one was not.</summary>
    private bool MayBeOutdated(TicketAttempt attempt)
    {
        if (attempt.Answer.IsRefusal)
            return _credential.IsFromCache || attempt.Answer.GetKerberosError(attempt.Sent)?.Code is KerberosErrorCode.BadKeyVersion
                or KerberosErrorCode.Modified or KerberosErrorCode.NoKey or KerberosErrorCode.TicketExpired;
        return attempt.Answer.IsForbiddenWithoutChallenge && _credential.IsFromCache
            && (learned.ServiceKey.IsOutdated(attempt.Sent.Ticket) || learned.ServiceKey.TryBeginCheck());
    }

    private async Task<DelegatedCredential?> ReplaceTicketAsync(TicketAttempt attempt, CancellationToken cancellationToken)
    {
        try
        {
            var replacement = await source.ReplaceAsync(application, _credential, cancellationToken).ConfigureAwait(false);
            if (replacement is null)
                Log.TicketReplacedBefore(source.Logger, application.Name, application.Service.ToString());
            return replacement;
        }
        catch (KcdException error)
        {
            // The caller gets the backend's refusal. Why there is no new ticket matters to the operator only.
            Log.TicketNotReplaced(source.Logger, application.Name, application.Service.ToString(), error.Cause, error.Remedy);
            return null;
        }
        catch
        {
            attempt.Response.Dispose();
            throw;
        }
    }

    /// <summary>Sends the request with a ticket. If the ticket was evicted since it was looked up, gets another one.</summary>
    /// <param name="request">The request.</param>
    /// <param name="route">The path to the backend.</param>
    /// <param name="sent">The value with the current ticket.</param>
    /// <param name="failure">The failure of an attempt with this value; null before it.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    private async Task<TicketAttempt> SendTicketAsync(
        HttpRequestMessage request, UserRoute route, SentAuthorization sent, Exception? failure, CancellationToken cancellationToken)
    {
        for (var fetches = 0; ; fetches++)
        {
            try
            {
                var response = await route.SendAsync(request, sent, failure, cancellationToken).ConfigureAwait(false);
                return TicketAttempt.Read(response, sent);
            }
            catch (KcdException) when (sent.IsTicketUnusable && fetches < MaxFetches)
            {
                var user = _credential.Ticket.User;
                await GetCredentialAsync(cancellationToken).ConfigureAwait(false);
                // Connections belong to the user that the ticket names.
                if (_credential.Ticket.User != user)
                    throw;
                (sent, failure) = (new SentAuthorization(_credential, sent.Format), null);
            }
            catch (HttpRequestException error) when (HeaderSize.MayCause(error, request, sent, learned))
            {
                var hint = HeaderSize.Report(application, "closed the connection after", request, sent, source.Logger);
                throw new HttpRequestException(error.HttpRequestError, string.Create(
                    CultureInfo.InvariantCulture, $"{error.Message} Possible cause: {hint.Message}"), error, error.StatusCode);
            }
        }
    }

    /// <summary>Gets the caller's ticket.</summary>
    private async ValueTask GetCredentialAsync(CancellationToken cancellationToken)
    {
        _credential = await source.DelegateAsync(application, caller ?? throw CallerMissing(), cancellationToken).ConfigureAwait(false);
        if (!_credential.IsFromCache)
            learned.ServiceKey.Record(_credential.Ticket);
    }

    private static KcdException CallerMissing() => new(DelegationFailure.Identity(
        KcdErrorKind.NotAuthenticated, KcdEventId.CallerMissing,
        "The request has no authenticated caller. Nothing was sent.",
        "Set the caller with request.SetCaller(principal), or register an ICallerAccessor. In ASP.NET Core, require authorization "
            + "for the route."));

    /// <summary>Determines whether the backend has not carried out the request that it answered, or a second execution is
    /// harmless.</summary>
    private static bool IsSafeToRepeat(HttpRequestMessage request, BackendAnswer answer) =>
        answer.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
        || ((int)answer.Status >= 400 && answer.IsStatedRefusal)
        // RFC 9110 §9.2.1.
        || (request.Content is null
            && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head || request.Method == HttpMethod.Options));
}
