using System.Globalization;
using KcdDelegation.Http;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The checks of one backend with the ticket of a user: whether it accepts the ticket, the size of the field, and whether it ties
/// the user to the connection.</summary>
internal static class BackendTicketChecks
{
    private const CheckNeeds Needs = CheckNeeds.Address | CheckNeeds.User | CheckNeeds.LogOn | CheckNeeds.Ticket;

    /// <summary>The limits on one header field, in bytes, by the start of the Server field.</summary>
    private static readonly (string Server, int Bytes, string Setting)[] s_limits =
    [
        ("Microsoft-IIS", 16_384, "MaxFieldLength and MaxRequestBytes of http.sys"),
        ("Microsoft-HTTPAPI", 16_384, "MaxFieldLength and MaxRequestBytes of http.sys"),
        ("Apache-Coyote", 8_192, "maxHttpHeaderSize"),
        ("Apache", 8_190, "LimitRequestFieldSize"),
        ("nginx", 8_192, "large_client_header_buffers"),
        ("Jetty", 8_192, "requestHeaderSize"),
        ("Kestrel", 32_768, "MaxRequestHeadersTotalSize"),
    ];

    public static IReadOnlyList<DoctorCheck> All { get; } =
    [
        Create(CheckIds.BackendHeaderLimit, "The user's ticket fits the header limit of the backend.", CheckHeaderLimitAsync),
        Create(CheckIds.BackendTicket, "The backend accepts the user's ticket.", CheckTicketAsync),
        Create(CheckIds.BackendPersistence, "The identity of a user does not stay on a connection that another user gets.",
            CheckPersistenceAsync),
    ];

    private static DoctorCheck Create(string id, string title, Func<CheckSubject, CancellationToken, Task<DoctorFinding>> checkAsync) =>
        new(id, DoctorStage.Target, CheckScope.Application, Needs, title, (subject, cancellationToken) =>
            BackendFaults.ExamineAsync(subject, _ => checkAsync(subject, cancellationToken), cancellationToken));

    private static async Task<DoctorFinding> CheckHeaderLimitAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        var attempt = await backend.GetWithUserTicketAsync(cancellationToken).ConfigureAwait(false);
        var server = attempt.Server
            ?? (await backend.GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false)).Server;
        var limit = s_limits.FirstOrDefault(limit => BackendRemedies.Names(server, limit.Server));
        var length = attempt.Sent?.Length ?? 0;
        var size = string.Create(
            CultureInfo.InvariantCulture, $"Authorization field: {length} bytes, for a ticket of {attempt.Sent?.Ticket.Size ?? 0} bytes");
        var usual = limit.Server is null ? "The usual limit of the server is not known."
            : string.Create(CultureInfo.InvariantCulture, $"Usual limit of {limit.Server}: {limit.Bytes} bytes ({limit.Setting})");
        if (await BackendRefusal.IsTooLargeAsync(backend, attempt, cancellationToken).ConfigureAwait(false))
        {
            return subject.Fix(
                string.Create(CultureInfo.InvariantCulture,
                    $"The backend refuses the size of the user's ticket: an Authorization field of {length} bytes."),
                $"Raise the limit of the backend{(limit.Setting is null ? "" : $" ({limit.Setting})")} and of each proxy in front of it, "
                + "or remove the user from groups.",
                size, usual, $"Answer: {attempt.Describe()}");
        }
        if (!attempt.IsSuccess)
            return subject.Ok("The answer does not concern the size.", size, usual);
        return limit.Server is not null && length > limit.Bytes * 3 / 4
            ? subject.Look(
                "The user's ticket is near the limit of the server. Users in more groups may exceed it.",
                $"Raise {limit.Setting}, and the limits of the proxies in front.", size, usual)
            : subject.Ok("", size, usual);
    }

    private static async Task<DoctorFinding> CheckTicketAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        var settings = subject.Application.Settings;
        var without = await backend.GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false);
        var attempt = await backend.GetWithUserTicketAsync(cancellationToken).ConfigureAwait(false);
        if (await BackendRefusal.IsTooLargeAsync(backend, attempt, cancellationToken).ConfigureAwait(false))
            return subject.Skip($"The backend refuses the size of the ticket (check {CheckIds.BackendHeaderLimit}).");
        if (await BackendRefusal.IsRefusedAsync(backend, attempt, cancellationToken).ConfigureAwait(false))
            return await BackendRefusal.ExplainAsync(subject, attempt, cancellationToken).ConfigureAwait(false);

        var sent = attempt.Sent!;
        var proof = attempt.Answer!.FindProofFailure(sent);
        string[] evidence =
        [
            $"Answer: {attempt.Describe()}",
            $"Token: {sent.Format}, {(sent.IsBound ? "bound to the TLS connection" : "not bound to a TLS connection")}",
            $"Key of the ticket: {LearnedServiceKey.Describe(sent.Ticket)}",
            $"Proof of the backend: {(settings.MutualAuthentication == MutualAuthentication.Off ? "not requested"
                : proof is null ? "correct" : $"the backend {proof.Description}")}",
        ];
        if (settings.MutualAuthentication != MutualAuthentication.Off && proof is not null
            && (!proof.IsMissing || settings.MutualAuthentication == MutualAuthentication.Required))
        {
            return subject.Fix(
                $"The backend accepts the ticket, but {proof.Description}: MutualAuthentication is {settings.MutualAuthentication}.",
                "Find out whether another server answers for the backend. If the backend cannot send a proof, set MutualAuthentication to "
                + (proof.IsMissing ? "Optional." : "Off."),
                evidence);
        }
        if (without.IsSuccess && proof is not null)
        {
            return subject.Skip(
                $"The backend answers {without.Status} without a ticket too, so its answer proves nothing (check "
                + $"{CheckIds.BackendOffer}).");
        }
        if (!attempt.IsSuccess && without is { Answer.IsChallenge: false } && without.Status == attempt.Status && proof is not null)
        {
            return subject.Skip(
                $"The backend answers {without.Status} without a ticket too, so its answer does not show whether it accepts the ticket "
                + $"(check {CheckIds.BackendOffer}).");
        }
        return attempt.IsSuccess
            ? subject.Ok("", evidence)
            : subject.Look(
                $"The backend accepts the ticket and answers {attempt.Status}.",
                attempt.Status is 401 or 403 ? "Give the user the right to use the application, if they should have it."
                    : $"Check the path of InternalUrl of {subject.Application!.Settings.Name}, and the log of the application.",
                evidence);
    }

    private static async Task<DoctorFinding> CheckPersistenceAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        var isShared = subject.Application.Settings.ShareConnectionsBetweenUsers;
        if (!(await backend.GetWithUserTicketAsync(cancellationToken).ConfigureAwait(false)).IsSuccess)
            return subject.Skip($"The backend does not serve the user (check {CheckIds.BackendTicket}).");
        if ((await backend.GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false)).IsSuccess)
            return subject.Skip($"The backend serves requests without a ticket too (check {CheckIds.BackendOffer}).");
        var found = await backend.GetPersistenceAsync(cancellationToken).ConfigureAwait(false);
        if (found.Failure is { } failure)
            return subject.Skip($"It could not be found out: {failure}.");
        List<string> evidence =
        [
            $"ShareConnectionsBetweenUsers: {isShared}",
            $"Persistent-Auth: {(found.IsDeclared ? "sent" : "not sent")}",
            found.ClosesConnections ? "The backend closes the connection after the response."
                : string.Create(CultureInfo.InvariantCulture,
                    $"Answer without a ticket on the connection of the user: {found.StatusWithoutTicket}"),
        ];
        if (found.HasTwoUsers)
            evidence.Add($"A second user on the connection gets {(found.MixesUsers ? "the page of the first" : "a page of their own")}.");
        if (!found.ServesWithoutTicket && !found.MixesUsers)
            return subject.Ok("", evidence);
        if (!isShared)
            return subject.Ok("The backend ties the user to the connection, and connections are not shared between users.", evidence);
        const string Remedy = "Set ShareConnectionsBetweenUsers of the application to false.";
        return found is { IsDeclared: true, MixesUsers: false }
            ? subject.Look(
                "The backend ties the user to the connection and states it, so that the connection is not shared further.", Remedy,
                evidence)
            : subject.Fix(
                "The backend ties the user to the connection without stating it, and connections are shared between users: one user can "
                + "get the page of another.",
                Remedy, evidence);
    }
}
