using System.Globalization;
using KcdDelegation.Diagnosis;
using KcdDelegation.Http;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Exchanges;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>Explains why a backend refuses a user's ticket, from its answers to the same request in other forms.</summary>
internal static class BackendRefusal
{
    /// <summary>The size of the field from which it may be the cause of an answer that has other causes too. The smallest usual limit is
    /// 8 KB.</summary>
    private const int MinSuspicious = 4096;

    /// <summary>Determines whether the backend refuses the size of the field: it says so, or it answers a smaller ticket or a short token
    /// differently.</summary>
    /// <remarks>Apache and nginx answer 400 to a field that is too long, and other servers close the connection.</remarks>
    public static async Task<bool> IsTooLargeAsync(BackendFacts backend, BackendAttempt attempt, CancellationToken cancellationToken)
    {
        if (attempt.Status is 431 or 494 or 413)
            return true;
        if (attempt.Sent is not { } sent || (attempt.Status != 400 && !attempt.IsClosed))
            return false;
        var own = await backend.GetWithTicketAsync(new BackendProbe(TicketOwner.Account, sent.Format, backend.IsBound), cancellationToken)
            .ConfigureAwait(false);
        if (own is { Answer: not null, Status: not 400, Sent: { } smaller })
            return smaller.Length < sent.Length;
        var wrong = await backend.GetWithWrongTicketAsync(cancellationToken).ConfigureAwait(false);
        if (wrong.Answer is not null && wrong.Status != 400)
            return sent.Length >= MinSuspicious;
        return await backend.GetWithShortTokenAsync(cancellationToken).ConfigureAwait(false) is { Answer: not null, Status: not 400 };
    }

    /// <summary>Determines whether the backend refuses the ticket. A status without a challenge is a refusal if a ticket that no key
    /// decrypts gets the same one.</summary>
    public static async Task<bool> IsRefusedAsync(BackendFacts backend, BackendAttempt attempt, CancellationToken cancellationToken)
    {
        if (attempt is not { Answer: { } answer, Sent: { } sent })
            return true;
        if (attempt.IsSuccess || answer.HasReadToken)
            return false;
        if (answer.IsRefusal)
        {
            // A server with the key answers 401 to a user without a right too. The proof distinguishes the two.
            var proven = await backend.GetWithTicketAsync(
                new BackendProbe(TicketOwner.User, sent.Format, sent.IsBound, AsksForProof: true), cancellationToken)
                .ConfigureAwait(false);
            return proven is not { Answer: { } proof, Sent: { } asked } || proof.FindProofFailure(asked) is not null;
        }
        var without = await backend.GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false);
        var wrong = await backend.GetWithWrongTicketAsync(cancellationToken).ConfigureAwait(false);
        return without.Answer?.IsChallenge == true && wrong.Status == attempt.Status;
    }

    public static async Task<DoctorFinding> ExplainAsync(CheckSubject subject, BackendAttempt attempt, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        var settings = subject.Application.Settings;
        if (attempt.Answer is null || attempt.Sent is not { } sent)
        {
            return subject.Fix(
                $"The backend answers a request without a ticket, but not one with a ticket: {attempt.Failure}.",
                "Read the log of the backend, and check whether a device on the way removes requests with tickets.") with
            {
                IsNoAnswer = true,
            };
        }
        var probe = new BackendProbe(TicketOwner.User, sent.Format, backend.IsBound);
        var otherBinding = backend.IsHttps
            ? await backend.GetWithTicketAsync(probe with { IsBound = !probe.IsBound }, cancellationToken).ConfigureAwait(false) : null;
        var otherFormat = await backend.GetWithTicketAsync(
            probe with { Format = LearnedFormat.GetOther(probe.Format) }, cancellationToken).ConfigureAwait(false);
        var own = await backend.GetWithTicketAsync(probe with { Owner = TicketOwner.Account }, cancellationToken).ConfigureAwait(false);
        var second = await backend.GetWithTicketAsync(probe with { Owner = TicketOwner.OtherUser }, cancellationToken)
            .ConfigureAwait(false);
        var holders = await subject.Application.GetHoldersAsync(cancellationToken).ConfigureAwait(false);
        var holder = holders is [var only] ? only : null;
        List<string> evidence =
        [
            $"Answer to the ticket, as {sent.Format}{(sent.IsBound ? ", bound to the TLS connection" : "")}: {attempt.Describe()}",
            $"Key of the ticket: {LearnedServiceKey.Describe(sent.Ticket)}",
        ];
        if (holder is { KeyVersion: { } version })
            evidence.Add(string.Create(CultureInfo.InvariantCulture, $"Key version of {holder.Name} in the directory: {version}"));
        Add(otherBinding, backend.IsBound ? "the ticket without channel binding" : "the ticket with channel binding");
        Add(otherFormat, $"the ticket as {otherFormat?.Sent?.Format}");
        Add(own, "the account's own ticket");
        Add(second, "the ticket of the other user");

        if (otherBinding is { IsSuccess: true })
            return ExplainBinding(subject, backend, evidence);
        if (otherFormat is { IsSuccess: true })
        {
            return subject.Fix(
                $"The backend accepts the ticket as {otherFormat.Sent!.Format}, and TokenFormat is {settings.TokenFormat}.",
                $"Set TokenFormat of {subject.Application!.Settings.Name} to {otherFormat.Sent.Format}.", evidence);
        }
        var error = attempt.Answer.GetKerberosError(sent) is { Code: not null } stated ? stated : null;
        if (error is not null)
            evidence.Add($"The backend's Kerberos error: {error.Message}");
        if (own is { IsSuccess: true } || second is { IsSuccess: true })
        {
            return subject.Fix(
                $"The backend refuses the ticket of this user, and accepts {(second is { IsSuccess: true } ? "that of the other user"
                    : "the account's own")}. Its key is right; the cause is the user or the delegation.",
                "Check in the log of the backend which user it sees, and that this user may log on to the application and its host.",
                evidence);
        }
        var skew = attempt.Date - subject.Request.TimeProvider.GetUtcNow();
        if (skew is { } difference)
            evidence.Add(string.Create(CultureInfo.InvariantCulture, $"Clock of the backend: {difference.TotalSeconds:+0;-0;0} s"));
        if (error is null && skew?.Duration() >= ExchangeContext.AllowedSkew)
            return ExplainClock(subject, $"The clock of the backend differs by {skew.Value.Duration():c} from this machine's.", evidence);
        evidence.Add(own is null ? "The account gets no ticket of its own to the service, so delegation and key cannot be distinguished."
            : "The account's own ticket is refused too, so the cause is the application or its key, and not delegation.");
        return ExplainKey(subject, attempt, error, holder, evidence);

        void Add(BackendAttempt? other, string description)
        {
            if (other is not null)
                evidence.Add($"Answer to {description}: {other.Describe()}");
        }
    }

    private static DoctorFinding ExplainBinding(CheckSubject subject, BackendFacts backend, List<string> evidence) => backend.IsBound
        ? subject.Fix(
            "The backend accepts the ticket only without channel binding: it has another certificate than the one that this machine sees.",
            "Find the load balancer or the device on the way that ends TLS, and exempt this connection. If it is intended, set "
            + $"ChannelBinding of {subject.Application!.Settings.Name} to false.",
            evidence)
        : subject.Fix(
            "The backend accepts the ticket only with channel binding (Extended Protection), and ChannelBinding is false.",
            $"Set ChannelBinding of {subject.Application!.Settings.Name} to true.", evidence);

    private static DoctorFinding ExplainClock(CheckSubject subject, string text, List<string> evidence) => subject.Fix(
        text, $"Synchronize the clock of the backend's machine with the ones of the KDCs of {subject.Names().RealmDns}.", evidence);

    private static DoctorFinding ExplainKey(
        CheckSubject subject, BackendAttempt attempt, KerberosException? error, AccountRecord? holder, List<string> evidence)
    {
        var names = subject.Names();
        var renew = BackendRemedies.RenewKey(names, holder, attempt.Server);
        switch (error?.Code)
        {
            case KerberosErrorCode.Skew:
                return ExplainClock(subject, "The clock of the backend differs by too much from the one of the KDC.", evidence);
            case KerberosErrorCode.Repeat:
                return subject.Fix(
                    "The backend takes the ticket for a repetition. Each request has its own authenticator.",
                    "Find the device that sends requests to the backend twice, or the replay cache that several backends share.", evidence);
            case KerberosErrorCode.TicketExpired or KerberosErrorCode.TicketNotYetValid:
                return ExplainClock(subject, "The ticket is valid at the KDC and not at the backend: the clocks differ.", evidence);
            case KerberosErrorCode.NoKey or KerberosErrorCode.BadKeyVersion:
                return subject.Fix("The backend has no key of the type and version of the ticket.", renew, evidence);
            case KerberosErrorCode.Modified or KerberosErrorCode.BadIntegrity:
                return subject.Fix(
                    "The backend cannot decrypt the ticket: it has another key than the account that holds the service principal name.",
                    renew, evidence);
        }
        if (attempt.Answer!.IsNtlm)
        {
            return subject.Fix(
                "The backend does not recognize the ticket and wants to continue with NTLM, which is never sent.", renew, evidence);
        }
        return subject.Fix(
            attempt.Answer.IsRefusal
                ? $"The backend answers {attempt.Status} to the ticket. It probably cannot decrypt it, as its key is outdated or of "
                    + "another account."
                : $"The backend answers {attempt.Status} to the ticket, as to a ticket that no key decrypts.",
            renew, evidence);
    }
}
