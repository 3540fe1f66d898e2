namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The order of the faults of a backend. The first one explains the others, whose checks are skipped.</summary>
internal static class BackendFaults
{
    private static readonly (string Check, Func<CheckSubject, CancellationToken, Task<BackendFault?>> FindAsync)[] s_order =
    [
        (CheckIds.BackendName, FindNameFaultAsync),
        (CheckIds.BackendConnection, FindConnectionFaultAsync),
        (CheckIds.BackendCertificate, FindCertificateFaultAsync),
        (CheckIds.BackendProtocol, FindProtocolFaultAsync),
        (CheckIds.BackendOffer, FindOfferFaultAsync),
        (CheckIds.BackendWrongTicket, FindWrongTicketFaultAsync),
    ];

    /// <summary>Makes a check unless the fault of an earlier one prevents it. The check gets the fault that it explains, or null.</summary>
    public static async Task<DoctorFinding> ExamineAsync(
        CheckSubject subject, Func<BackendFault?, Task<DoctorFinding>> examineAsync, CancellationToken cancellationToken)
    {
        foreach (var (check, findAsync) in s_order)
        {
            var fault = await findAsync(subject, cancellationToken).ConfigureAwait(false);
            if (check == subject.Check.Id)
                return await examineAsync(fault).ConfigureAwait(false);
            if (fault is not null)
                return subject.Skip($"{fault.Text} (check {check}).", fault.IsNoAnswer);
        }
        return await examineAsync(null).ConfigureAwait(false);
    }

    private static async Task<BackendFault?> FindNameFaultAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        if (backend.HasOwnConnect)
            return null;
        return (await backend.GetNameAsync(cancellationToken).ConfigureAwait(false)).Failure is { } failure
            ? new BackendFault($"The name {backend.Url.IdnHost} cannot be resolved", failure, IsNoAnswer: false)
            : null;
    }

    private static async Task<BackendFault?> FindConnectionFaultAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        if (backend.HasOwnConnect)
            return null;
        var addresses = await backend.GetAddressesAsync(cancellationToken).ConfigureAwait(false);
        return addresses.All(address => address.Failure is not null)
            ? new BackendFault($"Nothing accepts connections at {backend.Url.Authority}", addresses[0].Failure!, IsNoAnswer: true)
            : null;
    }

    private static async Task<BackendFault?> FindCertificateFaultAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        var settings = subject.Application.Settings;
        return await backend.GetCertificateAsync(cancellationToken).ConfigureAwait(false) switch
        {
            null => null,
            { Failure: { } failure } certificate =>
                new BackendFault($"The TLS handshake with {backend.Url.Authority} fails", failure, certificate.IsTimeout),
            { IsTrusted: false } certificate => new BackendFault(
                $"The certificate of {backend.Url.Authority} is not trusted", string.Join(", ", certificate.ChainErrors), false),
            { HasChannelBinding: false } certificate when settings is { ChannelBinding: true, RequireChannelBinding: true } =>
                new BackendFault(
                    $"The certificate of {backend.Url.Authority} defines no channel binding, which the application requires",
                    certificate.Algorithm, false),
            _ => null,
        };
    }

    private static async Task<BackendFault?> FindProtocolFaultAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        var attempt = await backend.GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false);
        if (await backend.IsHttp2OnlyAsync(cancellationToken).ConfigureAwait(false))
            return new BackendFault("The backend accepts HTTP/2 only", attempt.Describe(), false);
        return attempt.Answer is null
            ? new BackendFault("The backend sends no valid response over HTTP/1.1", attempt.Describe(), IsNoAnswer: true)
            : null;
    }

    private static async Task<BackendFault?> FindOfferFaultAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var attempt = await subject.Application!.Backend.GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false);
        return attempt switch
        {
            { Status: 401, Answer.AcceptsTickets: false } => new BackendFault(
                "The backend does not offer Negotiate", attempt.Describe(), false),
            { Status: 502 or 503 or 504 } => new BackendFault(
                $"The application does not answer: the server responds with {attempt.Status}", attempt.Describe(), IsNoAnswer: true),
            _ => null,
        };
    }

    private static async Task<BackendFault?> FindWrongTicketFaultAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        var without = await backend.GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false);
        if (without.IsSuccess)
            return null;
        var wrong = await backend.GetWithWrongTicketAsync(cancellationToken).ConfigureAwait(false);
        return wrong.IsSuccess && without.Answer!.IsChallenge
            ? new BackendFault("The backend accepts a ticket that no key decrypts", wrong.Describe(), false)
            : null;
    }
}

/// <summary>A fault of a backend.</summary>
/// <param name="Text">The fault, as a clause.</param>
/// <param name="Detail">What the server answered, or the error of the operating system.</param>
/// <param name="IsNoAnswer">Whether a server that should answer did not.</param>
internal sealed record BackendFault(string Text, string Detail, bool IsNoAnswer);
