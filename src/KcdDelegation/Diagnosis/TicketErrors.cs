using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>Tickets, keys, clocks, and faults of KDCs.</summary>
internal static class TicketErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC no longer accepts the tickets of {n.Account}: the account was changed, or its ticket has no PAC",
            n => $"New tickets were asked for already; look whether {n.AccountQuoted} was changed, and whether the controllers "
                + "replicate (`repadmin /replsummary`).") { Code = TgtRevoked },
        new(KcdStage.Delegation, NoTicket,
            n => $"a key does not fit: the keytab of {n.Account} is old, or {n.Service} lives in another realm than the one asked",
            n => $"{Remedies.NewKeytab(n)} For a service of another realm write HTTP/host@REALM.") { Code = BadIntegrity },
        new(KcdStage.Delegation, NoTicket,
            _ => "a ticket has expired on the way",
            Remedies.Clocks) { Code = TicketExpired },
        new(KcdStage.Delegation, NoTicket,
            _ => "a ticket is not valid yet",
            Remedies.Clocks) { Code = TicketNotYetValid },
        new(KcdStage.Delegation, NoTicket,
            n => $"the clocks of this machine and of {n.Realm} differ by too much",
            Remedies.Clocks) { Code = Skew },
        new(KcdStage.Delegation, NoTicket,
            _ => "the KDC takes the request for a repetition",
            _ => "Look for a device that sends packets twice, and for cloned machines with one account.") { Code = Repeat },
        new(KcdStage.Delegation, NoTicket,
            n => $"a ticket was sent to a KDC or service that it is not for, as seen from {n.Realm}",
            n => $"See that the SPN is on one account only: `setspn -X`; `setspn -Q {n.ServiceQuoted}`.") { Code = NotUs },
        new(KcdStage.Delegation, NoTicket,
            n => $"the evidence for {n.User} fails the KDC's check: another key or PAC signature than the KDC's own",
            n => $"Patch all controllers alike (PAC signatures) and see that the SPN is on one account only (`setspn -X`; `setspn -Q {n.ServiceQuoted}`). {Remedies.NewKeytab(n)}")
        { Code = Modified },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the keytab of {n.Account} is older than its password",
            Remedies.NewKeytab) { Code = BadKeyVersion },
        new(KcdStage.Delegation, NoCredentials,
            n => $"there is no key of the version that the ticket names, for {n.Account}",
            Remedies.NewKeytab) { Code = NoKey },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC of {n.Realm} does not accept the checksum of the request",
            Remedies.ReportBug) { Code = InappropriateChecksum },
        new(KcdStage.Delegation, NoTicket,
            n => $"the answer does not fit into a datagram, and TCP port 88 of {n.Realm} is closed",
            Remedies.Network) { Code = ResponseTooBig },
        new(KcdStage.Delegation, NoCredentials,
            n => $"a KDC of {n.Realm} has a fault, and no other one answers",
            Remedies.ReportBug) { Code = ServiceUnavailable },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC of {n.Realm} failed without giving a reason",
            Remedies.ReportBug) { Code = Generic },
    ];
}
