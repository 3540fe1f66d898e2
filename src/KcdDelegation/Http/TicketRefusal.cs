using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>Explains a backend's 401, to a ticket or to a request without one, from the content of its response. The most reliable evidence
/// is checked first.</summary>
internal static class TicketRefusal
{
    public static DelegationFailure Explain(ApplicationSettings application, BackendAnswer answer, SentAuthorization? sent)
    {
        var (cause, remedy) = GetCauseAndRemedy(application, answer, sent);
        var to = sent is null ? "the request, which went without a ticket" : "the ticket";
        return new DelegationFailure(
            KcdStage.Target, KcdErrorKind.Configuration, KcdEventId.TicketRefused,
            $"The backend of {application.Name} answered 401 to {to}: {cause}", remedy);
    }

    private static (string Cause, string Remedy) GetCauseAndRemedy(
        ApplicationSettings application, BackendAnswer answer, SentAuthorization? sent)
    {
        // A KRB-ERROR is the service's own statement.
        if (sent is not null && answer.GetKerberosError(sent) is { Code: not null } error)
        {
            var explained = ErrorCatalogue.Explain(error);
            return (explained.Cause, explained.Remedy);
        }
        if (answer.IsNtlm)
            return ("it did not recognize the ticket and wants to continue with NTLM, which is never sent.",
                $"Check that {application.Service} is registered on the account that runs the backend (setspn -Q {application.Service}), "
                    + "and that Kerberos is not disabled there.");
        if (!answer.AcceptsTickets)
            return answer.Challenges.Count == 0
                ? ("it names no authentication scheme.", "Turn on Integrated Windows Authentication (Negotiate) at the backend.")
                : ($"it offers {GetSchemes(answer)}, but neither Negotiate nor Kerberos.",
                    "Turn on Negotiate at the backend; in IIS it is the provider list of Windows Authentication, with Negotiate first.");
        if (answer.State == NegotiationState.Reject)
            return ("it rejected the SPNEGO negotiation.", GetGeneralRemedy(application, sent));
        if (answer.State is NegotiationState.AcceptIncomplete or NegotiationState.RequestMic)
            return ("it wants to negotiate further, for a mechanism other than Kerberos.",
                $"Allow Kerberos at the backend, and give it the key of {application.Service}.");
        return ("it accepts Negotiate, but not this ticket.", GetGeneralRemedy(application, sent));
    }

    private static string GetSchemes(BackendAnswer answer) =>
        string.Join(", ", answer.Challenges.Take(8).Select(challenge => PrintableText.From(challenge.Scheme, 32)));

    /// <summary>Returns the checks in the order of how often they find the cause.</summary>
    private static string GetGeneralRemedy(ApplicationSettings application, SentAuthorization? sent)
    {
        List<string> steps =
        [
            $"the account that runs the backend holds {application.Service} and no other account does (setspn -Q, setspn -X)",
            "the backend decrypts tickets with that account's current key (IIS: useAppPoolCredentials; elsewhere: a new keytab), and the "
                + "clocks agree",
            "the user is allowed to use the application",
        ];
        if (application.TokenFormat == TokenFormat.Kerberos)
            steps.Insert(1, "it accepts raw Kerberos tokens; most servers other than Windows need TokenFormat Spnego");
        if (application.TokenFormat == TokenFormat.Spnego)
            steps.Insert(1, "it accepts SPNEGO; some servers need TokenFormat Kerberos");
        if (sent is { IsBound: true })
            steps.Add("no intermediary replaces the TLS certificate; to test, turn ChannelBinding off");
        else
            steps.Add("it does not require channel binding (Extended Protection)");
        return $"Check in this order that {string.Join("; that ", steps)}.";
    }
}
