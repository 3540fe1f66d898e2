using System.Globalization;
using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>Explains a backend's refusal, of a ticket or of a request without one, from the content of its response. The most reliable
/// evidence is checked first.</summary>
internal static class TicketRefusal
{
    public static DelegationFailure Explain(ApplicationSettings application, BackendAnswer answer, SentAuthorization? sent)
    {
        var (cause, remedy) = GetCauseAndRemedy(application, answer, sent);
        var to = sent is null ? "the request, which went without a ticket" : "the ticket";
        var key = sent is null ? "" : $" The ticket is encrypted with {LearnedServiceKey.Describe(sent.Ticket)}.";
        return new DelegationFailure(
            KcdStage.Target, KcdErrorKind.Configuration, KcdEventId.TicketRefused,
            string.Create(CultureInfo.InvariantCulture, $"The backend of {application.Name} answered {(int)answer.Status} to {to}: ")
                + cause + key,
            remedy);
    }

    /// <summary>Explains a 403 without a challenge to a ticket that has just been issued.</summary>
    public static DelegationFailure ExplainForbidden(ApplicationSettings application, SentAuthorization sent) => new(
        KcdStage.Target, KcdErrorKind.Configuration, KcdEventId.TicketMayBeRefused,
        $"The backend of {application.Name} answered 403 without a challenge to a new ticket. Either the user may not use the "
            + "application, or the server could not accept the ticket: nginx with its SPNEGO module gives this answer. The ticket is "
            + $"encrypted with {LearnedServiceKey.Describe(sent.Ticket)}.",
        "If users who have the right are refused too, look for the reason in the error log of the backend. "
            + $"Check that {GetKeyStep(sent)}.");

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
                    + $"and that Kerberos is not disabled there.{GetKeyRemedy(sent)}");
        if (!answer.AcceptsTickets)
            return answer.Challenges.Count == 0
                ? ("it names no authentication scheme.",
                    $"Turn on Integrated Windows Authentication (Negotiate) at the backend.{GetKeyRemedy(sent)}")
                : ($"it offers {GetSchemes(answer)}, but neither Negotiate nor Kerberos.",
                    "Turn on Negotiate at the backend; in IIS it is the provider list of Windows Authentication, with Negotiate first."
                        + GetKeyRemedy(sent));
        if (answer.State == NegotiationState.Reject)
            return ("it rejected the SPNEGO negotiation.", GetGeneralRemedy(application, sent));
        if (answer.State is NegotiationState.AcceptIncomplete or NegotiationState.RequestMic)
            return ("it wants to negotiate further, for a mechanism other than Kerberos.",
                $"Allow Kerberos at the backend, and give it the key of {application.Service}.{GetKeyRemedy(sent)}");
        return ("it accepts Negotiate, but not this ticket.", GetGeneralRemedy(application, sent));
    }

    private static string GetSchemes(BackendAnswer answer) =>
        string.Join(", ", answer.Challenges.Take(8).Select(challenge => PrintableText.From(challenge.Scheme, 32)));

    private static string GetKeyRemedy(SentAuthorization? sent) => sent is null ? "" : $" Check also that {GetKeyStep(sent)}.";

    /// <summary>Returns the check of the backend's key, with the type and version of the ticket that was sent.</summary>
    /// <remarks>A keytab with RC4 keys only stopped working when domain controllers began to issue AES tickets by default
    /// (KB5073381).</remarks>
    private static string GetKeyStep(SentAuthorization sent) =>
        $"the backend's keytab has a key of {sent.Ticket.Service} with {LearnedServiceKey.Describe(sent.Ticket)} (klist -ket lists them; "
        + "a keytab with RC4 keys only no longer works since the updates of 2026, KB5073381: export it again with AES keys)";

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
        if (sent is not null)
            steps.Insert(1, GetKeyStep(sent));
        if (application.TokenFormat == TokenFormat.Kerberos)
            steps.Insert(1, "it accepts raw Kerberos tokens; most servers other than Windows need TokenFormat Spnego");
        if (application.TokenFormat == TokenFormat.Spnego)
            steps.Insert(1, "it accepts SPNEGO; some servers need TokenFormat Kerberos");
        if (sent is { IsBound: true })
            steps.Add("no intermediary replaces the TLS certificate; to test, turn ChannelBinding off, and on again afterwards");
        else
            steps.Add("it does not require channel binding (Extended Protection)");
        return $"Check in this order that {string.Join("; that ", steps)}.";
    }
}
