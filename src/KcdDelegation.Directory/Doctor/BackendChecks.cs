using System.Globalization;
using System.Net;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The checks of one backend that need no user: name, connection, certificate, protocol, offer, and that it verifies
/// tickets.</summary>
internal static class BackendChecks
{
    /// <summary>The longest time before the end of a certificate in which it should be renewed. It is a third of a shorter life.</summary>
    private static readonly TimeSpan s_renewal = TimeSpan.FromDays(14);

    public static IReadOnlyList<DoctorCheck> All { get; } =
    [
        Create(CheckIds.BackendName, "The host of InternalUrl can be resolved, and the service principal name is one of its names.",
            CheckNameAsync),
        Create(CheckIds.BackendConnection, "The backend accepts connections.", CheckConnectionAsync),
        Create(CheckIds.BackendCertificate, "The certificate of the backend is trusted, and valid for its host.", CheckCertificateAsync),
        Create(CheckIds.BackendProtocol, "The backend speaks HTTP/1.1.", CheckProtocolAsync),
        Create(CheckIds.BackendOffer, "The backend asks for a ticket: 401 with Negotiate.", CheckOfferAsync),
        Create(CheckIds.BackendWrongTicket, "The backend refuses a ticket that no key decrypts.", CheckWrongTicketAsync),
    ];

    private static DoctorCheck Create(
        string id, string title, Func<CheckSubject, BackendFault?, CancellationToken, Task<DoctorFinding>> checkAsync) =>
        new(id, DoctorStage.Target, CheckScope.Application, CheckNeeds.Address, title, (subject, cancellationToken) =>
            BackendFaults.ExamineAsync(subject, fault => checkAsync(subject, fault, cancellationToken), cancellationToken));

    private static async Task<DoctorFinding> CheckNameAsync(
        CheckSubject subject, BackendFault? fault, CancellationToken cancellationToken)
    {
        var application = subject.Application!;
        var backend = application.Backend;
        if (fault is not null)
        {
            return subject.Fix(
                $"{fault.Text}: {fault.Detail}.",
                $"Correct {application.AddressSetting}, or register the name in DNS. Check it with `nslookup {backend.Url.IdnHost}`.");
        }
        if (backend.HasOwnConnect)
            return subject.Ok("The host connects in its own way, without DNS.");
        var name = await backend.GetNameAsync(cancellationToken).ConfigureAwait(false);
        var addresses = $"Addresses of {backend.Url.IdnHost}: {string.Join(", ", name.Addresses.Take(8))}";
        var spn = $"Service principal name: {application.ServiceName}";
        if (name.CanonicalName is not { } canonical)
            return subject.Ok("The address has no name. The service principal name is configured.", addresses, spn);
        var isAlias = !IsSameHost(canonical, backend.Url.IdnHost);
        var alias = isAlias
            ? $"{backend.Url.IdnHost} is an alias of {canonical} (CNAME or a short name). Browsers ask for HTTP/{canonical}; this library "
                + $"asks for {application.ServiceName}."
            : "The name is not an alias.";
        string[] evidence = [addresses, alias, spn];
        if (IsSameHost(application.Service.Host, backend.Url.IdnHost) || IsSameHost(application.Service.Host, canonical)
            || name.Addresses.All(IPAddress.IsLoopback))
            return subject.Ok("", evidence);
        return subject.Look(
            $"The address is of {backend.Url.IdnHost}, and the service principal name {application.ServiceName} is of another host.",
            $"This is right for a load balancer or an alias, if the account that runs the backend holds {application.ServiceName}. "
            + "Otherwise correct InternalUrl or ServicePrincipalName.",
            evidence);
    }

    private static async Task<DoctorFinding> CheckConnectionAsync(
        CheckSubject subject, BackendFault? fault, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        if (backend.HasOwnConnect)
            return subject.Ok("The host connects in its own way; the next checks show whether it can.");
        var addresses = await backend.GetAddressesAsync(cancellationToken).ConfigureAwait(false);
        var port = backend.Url.Port.ToString(CultureInfo.InvariantCulture);
        var evidence = addresses.Select(address => $"{address.Address} port {port}: {address.Failure ?? "connected"}").ToList();
        if (fault is not null)
        {
            return subject.Fix(
                $"{fault.Text}: {fault.Detail}.",
                $"Start the backend, open TCP port {port} to it in the firewalls between, or correct "
                + $"{subject.Application!.AddressSetting}.",
                evidence) with { IsNoAnswer = true };
        }
        return addresses.FirstOrDefault(address => address.Failure is not null && !IPAddress.IsLoopback(address.Address)) is { } silent
            ? subject.Look(
                $"{silent.Address}, one of the addresses of {backend.Url.IdnHost}, accepts no connection. Requests use another one after "
                + "a delay.",
                "Remove the address from DNS, or start the backend there.", evidence)
            : subject.Ok("", evidence);
    }

    private static async Task<DoctorFinding> CheckCertificateAsync(
        CheckSubject subject, BackendFault? fault, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        if (await backend.GetCertificateAsync(cancellationToken).ConfigureAwait(false) is not { } certificate)
            return subject.Ok("The address is plain http, which the settings allow (AllowPlainHttp).");
        if (certificate.Failure is not null)
        {
            return subject.Fix(
                $"{fault!.Text}: {fault.Detail}.",
                $"Check that the server speaks TLS on port {backend.Url.Port.ToString(CultureInfo.InvariantCulture)}, in a version that "
                + "this machine accepts, and that InternalUrl has the right scheme.") with { IsNoAnswer = fault.IsNoAnswer };
        }
        string[] evidence =
        [
            $"Subject: {certificate.Subject}",
            $"Names: {(certificate.Names.Count == 0 ? "none" : string.Join(", ", certificate.Names))}",
            $"Issuer: {certificate.Issuer}",
            $"Valid from {certificate.NotBefore:u} to {certificate.NotAfter:u}",
            $"SHA-256: {certificate.Thumbprint}",
            $"Signature: {certificate.Algorithm}, {(certificate.HasChannelBinding ? "with" : "without")} channel binding",
        ];
        if (fault is not null)
            return ExplainCertificate(subject, certificate, fault, evidence);
        var now = subject.Request.TimeProvider.GetUtcNow();
        var life = certificate.NotAfter - certificate.NotBefore;
        return certificate.NotAfter - now < (life / 3 < s_renewal ? life / 3 : s_renewal)
            ? subject.Look($"The certificate expires on {certificate.NotAfter:u}.", "Renew it before.", evidence)
            : subject.Ok("", evidence);
    }

    private static DoctorFinding ExplainCertificate(
        CheckSubject subject, BackendCertificate certificate, BackendFault fault, IReadOnlyList<string> evidence)
    {
        var host = subject.Application!.Backend.Url.IdnHost;
        if (certificate.IsTrusted)
        {
            return subject.Fix(
                $"{fault.Text}: its signature algorithm is {certificate.Algorithm}.",
                "Give the backend a certificate that is signed with RSA or ECDSA, or set RequireChannelBinding to false.", evidence);
        }
        var now = subject.Request.TimeProvider.GetUtcNow();
        if (now > certificate.NotAfter || now < certificate.NotBefore)
        {
            return subject.Fix(
                $"The certificate is valid from {certificate.NotBefore:u} to {certificate.NotAfter:u}, and not now.",
                "Renew the certificate of the backend, and check the clock of this machine.", evidence);
        }
        if (certificate.IsWrongName && !certificate.IsWrongChain)
        {
            return subject.Fix(
                $"The certificate is not valid for {host}.",
                $"Use one of its names in {subject.Application!.AddressSetting}, or issue a certificate with the name {host}.", evidence);
        }
        return subject.Fix(
            $"{fault.Text}{(fault.Detail.Length > 0 ? $": {fault.Detail}" : "")}.",
            "Install the issuing authority as trusted on this machine (Linux: update-ca-certificates; Windows: Trusted Root Certification "
            + "Authorities), and let the backend send the intermediate certificates. If the issuer is not the one of the backend, a device "
            + "on the way may inspect TLS: exempt this connection, because such a device also breaks channel binding.",
            evidence);
    }

    private static async Task<DoctorFinding> CheckProtocolAsync(
        CheckSubject subject, BackendFault? fault, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        var attempt = await backend.GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false);
        if (fault is null)
            return subject.Ok("", $"Answer without a ticket: {attempt.Describe()}");
        var isHttp2Only = await backend.IsHttp2OnlyAsync(cancellationToken).ConfigureAwait(false);
        return subject.Fix(
            $"{fault.Text}: {fault.Detail}.",
            isHttp2Only
                ? "Let the backend accept HTTP/1.1 too. On Kestrel, set Protocols of the endpoint to Http1AndHttp2. Negotiate is not "
                    + "defined for HTTP/2, and servers such as IIS change to HTTP/1.1 for it."
                : "Check with a browser that the port of InternalUrl is one of a web server, and read the log of the backend. "
                    + "A slow start of the application may also exceed the time for an answer: repeat the check.",
            $"Answer to HTTP/1.1: {attempt.Describe()}") with { IsNoAnswer = fault.IsNoAnswer };
    }

    private static async Task<DoctorFinding> CheckOfferAsync(
        CheckSubject subject, BackendFault? fault, CancellationToken cancellationToken)
    {
        var attempt = await subject.Application!.Backend.GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false);
        var offers = attempt.DescribeOffers().ToList();
        var evidence = $"Answer without a ticket: {attempt.Describe()}";
        if (fault is { IsNoAnswer: true })
        {
            return subject.Fix(
                $"{fault.Text}.", "Start the application, and read the error log of the server that answers in its name.", evidence)
                with { IsNoAnswer = true };
        }
        if (fault is not null)
        {
            return subject.Fix(
                offers.Count == 0 ? "The backend answers 401 and names no authentication scheme."
                    : $"The backend offers {string.Join(", ", offers)}, but neither Negotiate nor Kerberos.",
                BackendRemedies.OfferNegotiate(attempt.Server), evidence);
        }
        return attempt switch
        {
            { Answer: { IsChallenge: true, AcceptsTickets: true } } when offers[0].Equals("NTLM", StringComparison.OrdinalIgnoreCase) =>
                subject.Look(
                    "The backend offers NTLM before Negotiate. This library selects Negotiate, and other clients may not.",
                    "Put Negotiate first.", evidence),
            { Answer: { IsChallenge: true, AcceptsTickets: true } } => subject.Ok("", evidence),
            { Status: >= 300 and < 400 } => subject.Look(
                $"The backend redirects requests without a ticket to {attempt.Location ?? "another address"}. Redirects are not followed.",
                $"If that is the application's address, set {subject.Application!.AddressSetting} to it. If it is a sign-in page, turn "
                + "on Negotiate for the application.",
                evidence),
            { IsSuccess: true } => subject.Look(
                "The backend serves its address without a ticket, to everyone who reaches it.",
                "If the protected application is in a subfolder, set InternalUrl to that. Otherwise require authentication and disable "
                + "anonymous access.",
                evidence),
            _ => subject.Look(
                $"The backend answers {attempt.Status} without a ticket, and not 401.",
                $"Check the path of InternalUrl of {subject.Application!.Settings.Name}, and the name of the host that the server expects.",
                evidence),
        };
    }

    private static async Task<DoctorFinding> CheckWrongTicketAsync(
        CheckSubject subject, BackendFault? fault, CancellationToken cancellationToken)
    {
        var backend = subject.Application!.Backend;
        var without = await backend.GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false);
        if (without.IsSuccess)
            return subject.Skip($"The backend answers {without.Status} without a ticket too (check {CheckIds.BackendOffer}).");
        var wrong = await backend.GetWithWrongTicketAsync(cancellationToken).ConfigureAwait(false);
        string[] evidence =
        [
            $"Answer without a ticket: {without.Describe()}",
            $"Answer to a ticket of random bytes: {wrong.Describe()}",
        ];
        return fault is null
            ? subject.Ok("", evidence)
            : subject.Fix(
                "The backend accepts a ticket that no key decrypts: it does not verify tickets, so that anyone can act as any user.",
                "Find the part that answers for the backend without reading the ticket, such as a proxy that only requires the field, and "
                + "let it verify tickets with the key of the service.",
                evidence);
    }

    private static bool IsSameHost(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
