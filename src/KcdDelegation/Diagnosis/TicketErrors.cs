using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.KcdErrorKind;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>Tickets, keys, clocks, and faults of KDCs.</summary>
internal static class TicketErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC no longer accepts the tickets of {n.Account}: the account was changed, or its ticket has no PAC",
            n => $"The client has already requested new tickets. Check whether {n.AccountQuoted} was changed, and whether the domain "
                + $"controllers "
                + "replicate (`repadmin /replsummary`).") { Code = TgtRevoked },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"a key does not match: the keytab of {n.Account} is outdated, or {n.Service} belongs to another realm than the one "
                + $"that was asked",
            n => $"{Remedies.NewKeytab(n)} For a service of another realm, write HTTP/host@REALM.") { Code = BadIntegrity },
        new(KcdStage.Delegation, Unavailable, NoTicket,
            _ => "a ticket expired before the KDC received it",
            Remedies.Clocks) { Code = TicketExpired },
        new(KcdStage.Delegation, Unavailable, NoTicket,
            _ => "a ticket is not yet valid",
            Remedies.Clocks) { Code = TicketNotYetValid },
        new(KcdStage.Delegation, Unavailable, NoTicket,
            n => $"the clocks of this machine and of {n.Realm} differ by too much",
            Remedies.Clocks) { Code = Skew },
        new(KcdStage.Delegation, Unavailable, NoTicket,
            _ => "the KDC identified the request as a replay",
            _ => "Look for a network device that duplicates packets, and for cloned machines that use the same account.") { Code = Repeat },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"a ticket was sent to a KDC or service that it is not for, as reported by {n.Realm}",
            n => $"Check that only one account holds the SPN: `setspn -X -F`; `setspn -F -Q {n.ServiceQuoted}`.") { Code = NotUs },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC cannot verify the evidence ticket for {n.User}: its key or PAC signature is not the KDC's own, or the domain "
                + $"controllers have "
                + "different patch levels",
            n => "Install the same patches on all domain controllers (PAC signatures) and check that only one account holds the SPN "
                + $"(`setspn -X -F`; `setspn -F -Q {n.ServiceQuoted}`). {Remedies.NewKeytab(n)}")
        { Code = Modified },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the keytab of {n.Account} is older than the account's password",
            Remedies.NewKeytab) { Code = BadKeyVersion },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the key version that the ticket specifies is not available for {n.Account}",
            Remedies.NewKeytab) { Code = NoKey },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC of {n.Realm} does not accept the checksum of the request",
            Remedies.ReportBug) { Code = InappropriateChecksum },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the answer is too large for UDP, and TCP port 88 is not reachable in {n.Realm}",
            Remedies.Network) { Code = ResponseTooBig },
        new(KcdStage.Delegation, Unavailable, NoCredentials,
            n => $"a KDC of {n.Realm} reported that it is unavailable, and no other KDC answered",
            Remedies.ReportBug) { Code = ServiceUnavailable },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the target requires hardware pre-authentication of users, which protocol transition cannot provide: {n.Service}",
            n => $"Remove the requirement from the target: MIT krb5 `kadmin.local modprinc -requires_hwauth {n.ServiceQuoted}`.")
        { Code = Generic, When = RowCondition.KdcSays("NO HW PREAUTH") },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the target requires pre-authentication of users, which protocol transition does not prove: {n.Service}",
            n => $"Remove the requirement from the target: MIT krb5 `kadmin.local modprinc -requires_preauth {n.ServiceQuoted}`.")
        { Code = Generic, When = RowCondition.KdcSays("NO PREAUTH") },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the request is longer than the KDC of {n.Realm} accepts: the evidence ticket of {n.User} is too large",
            _ => "Use TCP (no udp/ in Kcd:Kdcs). If the KDC limits requests over TCP too, raise its limit, or reduce the user's groups: "
                + "large tickets come from "
                + "memberships in many groups and from SID history.") { Code = FieldTooLong },
        new(KcdStage.Delegation, Unavailable, NoTicket,
            n => $"the KDC of {n.Realm} failed without giving a reason",
            Remedies.ReportBug) { Code = Generic },
    ];
}
