using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>Why a backend may have answered 401, to a ticket or for want of one that it does not take, from what its answer shows, the surest sign first.</summary>
internal static class TicketRefusal
{
    public static DelegationFailure Explain(ApplicationSettings application, BackendAnswer answer, SentAuthorization? sent)
    {
        var (cause, remedy) = CauseAndRemedy(application, answer, sent);
        var to = sent is null ? "the request, which went without a ticket" : "the ticket";
        return new DelegationFailure(KcdStage.Target, KcdEventId.TicketRefused, $"The backend of {application.Name} answered 401 to {to}: {cause}", remedy);
    }

    private static (string Cause, string Remedy) CauseAndRemedy(ApplicationSettings application, BackendAnswer answer, SentAuthorization? sent)
    {
        // The KRB-ERROR is the service's own word.
        if (sent is not null && answer.KerberosError(sent) is { Code: not null } error)
        {
            var explained = ErrorCatalogue.Explain(error);
            return (explained.Cause, explained.Remedy);
        }
        if (answer.IsNtlm)
            return ("it took the ticket for nothing and wants to go on with NTLM, which is never sent.",
                $"See that {application.Service} is registered on the account that runs the backend (setspn -Q {application.Service}), and that Kerberos is not disabled there.");
        if (!answer.TakesTickets)
            return answer.Challenges.Count == 0
                ? ("it names no scheme at all.", "Turn on Integrated Windows Authentication (Negotiate) at the backend.")
                : ($"it offers {Schemes(answer)}, but neither Negotiate nor Kerberos.",
                    "Turn on Negotiate at the backend; in IIS it is the provider list of Windows Authentication, with Negotiate first.");
        if (answer.State == NegotiationState.Reject)
            return ("it rejected the SPNEGO negotiation.", GeneralRemedy(application, sent));
        if (answer.State is NegotiationState.AcceptIncomplete or NegotiationState.RequestMic)
            return ("it wants to negotiate further, for a mechanism other than Kerberos.",
                $"Allow Kerberos at the backend, and give it the key of {application.Service}.");
        return ("it takes Negotiate, but not this ticket.", GeneralRemedy(application, sent));
    }

    private static string Schemes(BackendAnswer answer) =>
        string.Join(", ", answer.Challenges.Take(8).Select(challenge => PrintableText.From(challenge.Scheme, 32)));

    /// <summary>In the order in which the causes are met.</summary>
    private static string GeneralRemedy(ApplicationSettings application, SentAuthorization? sent)
    {
        List<string> steps =
        [
            $"the account that runs the backend holds {application.Service} and no other account does (setspn -Q, setspn -X)",
            "the backend opens tickets with that account's present key (IIS: useAppPoolCredentials; elsewhere: a new keytab), and the clocks agree",
            "the user is allowed to use the application",
        ];
        if (application.TokenFormat == TokenFormat.Kerberos)
            steps.Insert(1, "it takes raw Kerberos tokens; most servers other than Windows want TokenFormat Spnego");
        if (application.TokenFormat == TokenFormat.Spnego)
            steps.Insert(1, "it takes SPNEGO; some want TokenFormat Kerberos");
        if (sent is { IsBound: true })
            steps.Add("nothing on the way replaces the TLS certificate; to test, turn ChannelBinding off");
        else
            steps.Add("it does not insist on channel binding (Extended Protection)");
        return $"Check in this order that {string.Join("; that ", steps)}.";
    }
}
