using System.Net;
using KcdDelegation.Diagnosis;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Http;

/// <summary>One request as the user, from the ticket to a response that may be passed on.</summary>
/// <remarks>The backend gets the request once with a ticket. It may get it once before that without a ticket, if the application starts on
/// challenge, and once more in the other token format, if the format must be learned. A response never causes further attempts.
/// <see cref="UserRoute"/> repeats a request whose connection breaks before the response.</remarks>
internal sealed class DelegatedExchange(
    ApplicationSettings application, DelegatedCredential credential, LearnedFormat formats, ILogger logger)
{
    public async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, UserConnectionPool connections, CancellationToken cancellationToken)
    {
        var mayRepeat = application.Start == AuthenticationStart.OnChallenge || application.TokenFormat == TokenFormat.Auto;
        var canRepeat = mayRepeat && await RequestBody.TryKeepAsync(request.Content, cancellationToken).ConfigureAwait(false);

        var user = credential.Ticket.User;
        using var route = new UserRoute(connections, ConnectionKey.Create(application, user, request), user, application.Connections);
        // A body that cannot be sent twice is sent with a ticket at once: without one it would be consumed by the backend's 401.
        var response = application.Start == AuthenticationStart.OnChallenge && canRepeat
            ? await SendOnChallengeAsync(request, route, cancellationToken).ConfigureAwait(false)
            : await SendWithTicketAsync(request, route, canRepeat, cancellationToken).ConfigureAwait(false);
        route.TransferLease(response, request.Method);
        return response;
    }

    private async Task<HttpResponseMessage> SendOnChallengeAsync(
        HttpRequestMessage request, UserRoute route, CancellationToken cancellationToken)
    {
        var response = await route.SendAsync(request, authorization: null, cancellationToken).ConfigureAwait(false);
        var answer = BackendAnswer.Read(response);
        if (response.StatusCode != HttpStatusCode.Unauthorized)
        {
            // The resource is public, or the backend has tied this connection to the user.
            if (application.MutualAuthentication == MutualAuthentication.Required)
                throw NotProven(response,
                    new MutualAuthenticationFailure(IsMissing: true, "answered a request that did not ask for a proof"));
            return Clean(response, answer);
        }
        if (!answer.AcceptsTickets)
            return Refused(response, answer, sent: null);
        response.Dispose();
        return await SendWithTicketAsync(request, route, canRepeat: true, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> SendWithTicketAsync(
        HttpRequestMessage request, UserRoute route, bool canRepeat, CancellationToken cancellationToken)
    {
        var sent = new SentAuthorization(credential, formats.GetFormat(application.TokenFormat));
        var response = await route.SendAsync(request, sent, cancellationToken).ConfigureAwait(false);
        if (application.TokenFormat != TokenFormat.Auto)
            return Finish(response, sent);

        var otherWasRefused = false;
        if (response.StatusCode == HttpStatusCode.Unauthorized)
        {
            if (canRepeat && BackendAnswer.Read(response).AcceptsTickets)
            {
                response.Dispose();
                sent = new SentAuthorization(credential, LearnedFormat.GetOther(sent.Format));
                response = await route.SendAsync(request, sent, cancellationToken).ConfigureAwait(false);
                otherWasRefused = true;
            }
            else
                formats.RecordRefused(sent.Format);
        }
        if (ProvesFormat(response, otherWasRefused) && formats.RecordAccepted(sent.Format))
            Log.FormatLearnt(logger, application.Name, sent.Format);
        return Finish(response, sent);
    }

    /// <summary>Determines whether a response proves that the backend accepts the token format.</summary>
    /// <remarks>A 502 may come from an intermediary, a 400 or 431 precedes the check of the ticket, and a public page needs none. A proof
    /// is a success after the other format was refused with 401, or the backend's statement that it has read the token.</remarks>
    private static bool ProvesFormat(HttpResponseMessage response, bool otherWasRefused) =>
        (int)response.StatusCode is >= 200 and < 400 && (otherWasRefused || BackendAnswer.Read(response).HasReadToken);

    private HttpResponseMessage Finish(HttpResponseMessage response, SentAuthorization sent)
    {
        var answer = BackendAnswer.Read(response);
        if (response.StatusCode == HttpStatusCode.Unauthorized)
            return Refused(response, answer, sent);
        if (response.StatusCode is HttpStatusCode.RequestHeaderFieldsTooLarge or HttpStatusCode.BadRequest)
            Log.HeaderMayBeTooLarge(logger, application.Name, (int)response.StatusCode, sent.Length);

        if (RequestVersion.IsRefusedBy(response))
            Log.HttpVersionNotAccepted(logger, application.Name, (int)response.StatusCode);

        if (application.MutualAuthentication != MutualAuthentication.Off
            && answer.FindProofFailure(sent) is { } failure
            && !(failure.IsMissing && application.MutualAuthentication == MutualAuthentication.Optional))
            throw NotProven(response, failure);
        return Clean(response, answer);
    }

    /// <summary>Returns the backend's 401 with the cause attached, and without challenges that the host's own caller cannot
    /// negotiate.</summary>
    private HttpResponseMessage Refused(HttpResponseMessage response, BackendAnswer answer, SentAuthorization? sent)
    {
        var refusal = TicketRefusal.Explain(application, answer, sent).ToException();
        Log.TicketRefused(logger, application.Name, application.Service.ToString(), refusal.Cause, refusal.Remedy);
        response.SetKcdRefusal(refusal);
        return Clean(response, answer);
    }

    /// <summary>Removes the negotiation from the response. A proof or the offer of a persistent user concerns this connection
    /// only.</summary>
    private static HttpResponseMessage Clean(HttpResponseMessage response, BackendAnswer answer)
    {
        Challenge.RemoveNegotiation(response.Headers, answer.Challenges);
        return response;
    }

    private KcdException NotProven(HttpResponseMessage response, MutualAuthenticationFailure failure)
    {
        response.Dispose();
        return new DelegationFailure(
            KcdStage.Target,
            KcdErrorKind.Configuration, KcdEventId.BackendNotProven,
            $"The backend of {application.Name} {failure.Description}, so it has not proved that it holds the key of "
                + $"{application.Service}. "
                + "Its response was dropped; the request may have been carried out.",
            "Check that no intermediary answers in the backend's name. A backend that never proves its identity needs MutualAuthentication "
                + "Optional or Off.").ToException(failure.Error);
    }
}
