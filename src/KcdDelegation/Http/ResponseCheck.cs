using System.Globalization;
using KcdDelegation.Diagnosis;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Http;

/// <summary>The checks between a backend's response and the host: the refusal or hint is attached, the backend's proof is verified, and the
/// negotiation is removed.</summary>
internal readonly struct ResponseCheck(ApplicationSettings application, LearnedBackend learned, ILogger logger)
{
    /// <summary>Returns the response to a request that was sent without a ticket and is not asked for one.</summary>
    /// <exception cref="KcdException">A proof is required.</exception>
    public HttpResponseMessage PassUnauthenticated(HttpResponseMessage response, BackendAnswer answer)
    {
        if (application.MutualAuthentication == MutualAuthentication.Required)
            throw NotProven(response, new MutualAuthenticationFailure(IsMissing: true, "did not ask for a ticket"), hint: null);
        return Clean(response, answer);
    }

    /// <summary>Returns the response to a request that was sent with a ticket.</summary>
    /// <exception cref="KcdException">The backend has not proved its identity.</exception>
    public HttpResponseMessage Pass(TicketAttempt attempt, HttpRequestMessage request)
    {
        var (response, answer, sent) = (attempt.Response, attempt.Answer, attempt.Sent);
        // A refusal needs no proof: there is no ticket that the backend could have opened.
        if (answer.IsRefusal && (int)answer.Status >= 400)
            return Refuse(response, answer, sent);
        if (HeaderSize.IsStatedBy(answer.Status, request))
        {
            response.SetKcdRefusal(ReportHeaderSize(answer, request, sent));
            return Clean(response, answer);
        }
        var hint = FindHint(answer, request, sent);
        if (hint is not null)
            response.SetKcdHint(hint);
        else
            learned.RecordAcceptedLength(sent.Length);
        if (RequestVersion.IsRefusedBy(response))
            Log.HttpVersionNotAccepted(logger, application.Name, (int)response.StatusCode);

        if (application.MutualAuthentication != MutualAuthentication.Off
            && answer.FindProofFailure(sent) is { } failure
            && !(failure.IsMissing && application.MutualAuthentication == MutualAuthentication.Optional))
            throw NotProven(response, failure, hint);
        return answer.IsRefusal ? Refuse(response, answer, sent) : Clean(response, answer);
    }

    /// <summary>Returns the backend's refusal with the cause attached, and without challenges that the host's own caller cannot
    /// negotiate.</summary>
    public HttpResponseMessage Refuse(HttpResponseMessage response, BackendAnswer answer, SentAuthorization? sent)
    {
        var refusal = TicketRefusal.Explain(application, answer, sent).ToException();
        Log.TicketRefused(
            logger, application.Name, application.Service.ToString(), (int)answer.Status, refusal.Cause, refusal.Remedy);
        response.SetKcdRefusal(refusal);
        return Clean(response, answer);
    }

    /// <summary>Returns a possible cause of a status that has other causes too, or null.</summary>
    private KcdException? FindHint(BackendAnswer answer, HttpRequestMessage request, SentAuthorization sent)
    {
        if (HeaderSize.MayCause(answer.Status, request, sent, learned))
            return ReportHeaderSize(answer, request, sent);
        if (!answer.IsForbiddenWithoutChallenge || sent.IsFromCache)
            return null;
        var hint = TicketRefusal.ExplainForbidden(application, sent).ToException();
        if (learned.ForbiddenHints.TryBegin())
            Log.TicketMayBeRefused(logger, hint.Cause, hint.Remedy);
        return hint;
    }

    private KcdException ReportHeaderSize(BackendAnswer answer, HttpRequestMessage request, SentAuthorization sent) => HeaderSize.Report(
        application, string.Create(CultureInfo.InvariantCulture, $"answered {(int)answer.Status} to"), request, sent, logger);

    /// <summary>Removes the negotiation from the response. A proof concerns this connection only.</summary>
    private static HttpResponseMessage Clean(HttpResponseMessage response, BackendAnswer answer)
    {
        Challenge.RemoveNegotiation(response.Headers, answer.Challenges);
        return response;
    }

    private KcdException NotProven(HttpResponseMessage response, MutualAuthenticationFailure failure, KcdException? hint)
    {
        response.Dispose();
        return new DelegationFailure(
            KcdStage.Target,
            KcdErrorKind.Configuration, KcdEventId.BackendNotProven,
            string.Create(CultureInfo.InvariantCulture, $"The backend of {application.Name} answered {(int)response.StatusCode} and ")
                + $"{failure.Description}, so it has not proved that it holds the key of {application.Service}. "
                + "Its response was dropped; the request may have been carried out."
                + (hint is null ? "" : $" Possible cause: {hint.Cause}"),
            (hint is null ? "" : $"{hint.Remedy} ")
                + "Check that no intermediary answers in the backend's name. A backend that never proves its identity needs "
                + "MutualAuthentication Optional or Off.").ToException(failure.Error);
    }
}
