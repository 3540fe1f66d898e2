using System.Net;
using KcdDelegation.Diagnosis;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Http;

/// <summary>One request as the user, from his ticket to a response that may be passed on. The backend gets it once with a ticket; once before
/// that without one, where the application wants to be asked first; once more in the other token format, where the format has to be learnt.
/// An answer is never a reason to send more often; a connection that breaks before the answer is one for <see cref="UserRoute"/>.</summary>
internal sealed class DelegatedExchange(ApplicationSettings application, DelegatedCredential credential, LearnedFormat formats, ILogger logger)
{
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, UserConnectionPool connections, CancellationToken cancellationToken)
    {
        var mayRepeat = application.Start == AuthenticationStart.OnChallenge || application.TokenFormat == TokenFormat.Auto;
        var canRepeat = mayRepeat && await RequestBody.TryKeepAsync(request.Content, cancellationToken).ConfigureAwait(false);

        using var route = new UserRoute(connections, ConnectionKey.Create(application, credential.Ticket.User), credential.Ticket.User);
        // A body that cannot be sent twice goes with a ticket at once: without one it would be spent on the backend's 401.
        var response = application.Start == AuthenticationStart.OnChallenge && canRepeat
            ? await SendOnChallengeAsync(request, route, cancellationToken).ConfigureAwait(false)
            : await SendWithTicketAsync(request, route, canRepeat, cancellationToken).ConfigureAwait(false);
        route.HandOver(response, request.Method);
        return response;
    }

    private async Task<HttpResponseMessage> SendOnChallengeAsync(HttpRequestMessage request, UserRoute route, CancellationToken cancellationToken)
    {
        var response = await route.SendAsync(request, authorization: null, cancellationToken).ConfigureAwait(false);
        var answer = BackendAnswer.Read(response);
        if (response.StatusCode != HttpStatusCode.Unauthorized)
        {
            // Public, or the backend knows the user by this connection of his.
            if (application.MutualAuthentication == MutualAuthentication.Required)
                throw NotProven(response, new MutualAuthenticationFailure(IsMissing: true, "answered before it was asked to prove itself"));
            return Clean(response, answer);
        }
        if (!answer.TakesTickets)
            return Refused(response, answer, sent: null);
        response.Dispose();
        return await SendWithTicketAsync(request, route, canRepeat: true, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> SendWithTicketAsync(HttpRequestMessage request, UserRoute route, bool canRepeat, CancellationToken cancellationToken)
    {
        var sent = new SentAuthorization(credential, formats.First(application.TokenFormat));
        var response = await route.SendAsync(request, sent, cancellationToken).ConfigureAwait(false);
        if (application.TokenFormat != TokenFormat.Auto)
            return Finish(response, sent);

        var otherWasRefused = false;
        if (response.StatusCode == HttpStatusCode.Unauthorized)
        {
            if (canRepeat && BackendAnswer.Read(response).TakesTickets)
            {
                response.Dispose();
                sent = new SentAuthorization(credential, LearnedFormat.Other(sent.Format));
                response = await route.SendAsync(request, sent, cancellationToken).ConfigureAwait(false);
                otherWasRefused = true;
            }
            else
                formats.Refused(sent.Format);
        }
        if (ProvesFormat(response, otherWasRefused) && formats.Accepted(sent.Format))
            Log.FormatLearnt(logger, application.Name, sent.Format);
        return Finish(response, sent);
    }

    /// <summary>A 502 comes from somebody in between, a 400 or 431 from before the ticket was looked at, a public page is anybody's: proof is a
    /// success where the other format met a 401, or with the backend's word that it has read the token.</summary>
    private static bool ProvesFormat(HttpResponseMessage response, bool otherWasRefused) =>
        (int)response.StatusCode is >= 200 and < 400 && (otherWasRefused || BackendAnswer.Read(response).HasReadToken);

    private HttpResponseMessage Finish(HttpResponseMessage response, SentAuthorization sent)
    {
        var answer = BackendAnswer.Read(response);
        if (response.StatusCode == HttpStatusCode.Unauthorized)
            return Refused(response, answer, sent);
        if (response.StatusCode is HttpStatusCode.RequestHeaderFieldsTooLarge or HttpStatusCode.BadRequest)
            Log.HeaderMayBeTooLarge(logger, application.Name, (int)response.StatusCode, sent.Length);

        if (application.MutualAuthentication != MutualAuthentication.Off
            && answer.FindProofFailure(sent) is { } failure
            && !(failure.IsMissing && application.MutualAuthentication == MutualAuthentication.Optional))
            throw NotProven(response, failure);
        return Clean(response, answer);
    }

    /// <summary>The backend's 401 goes back with the reason on it, and without what it wanted to negotiate: nobody behind us can.</summary>
    private HttpResponseMessage Refused(HttpResponseMessage response, BackendAnswer answer, SentAuthorization? sent)
    {
        var refusal = TicketRefusal.Explain(application, answer, sent).ToException();
        Log.TicketRefused(logger, application.Name, application.Service.ToString(), refusal.Cause, refusal.Remedy);
        response.SetKcdRefusal(refusal);
        return Clean(response, answer);
    }

    /// <summary>The negotiation was between us and the backend; a proof or the offer to keep a connection's user is nothing to others.</summary>
    private static HttpResponseMessage Clean(HttpResponseMessage response, BackendAnswer answer)
    {
        Challenge.RemoveNegotiation(response.Headers, answer.Challenges);
        response.Headers.Remove("Persistent-Auth");
        return response;
    }

    private KcdException NotProven(HttpResponseMessage response, MutualAuthenticationFailure failure)
    {
        response.Dispose();
        return new DelegationFailure(
            KcdStage.Target,
            KcdEventId.BackendNotProven,
            $"The backend of {application.Name} {failure.What}, and so has not shown that it holds the key of {application.Service}. Its response was dropped; the request may have been carried out.",
            "See that nobody stands between here and the backend. A backend that never proves itself needs MutualAuthentication Optional or Off.").ToException(failure.Error);
    }
}
