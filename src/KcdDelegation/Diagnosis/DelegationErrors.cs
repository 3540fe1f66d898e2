using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.KcdErrorKind;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>The right to delegate: KDC_ERR_BADOPTION (13, RFC 4120 §7.5.9), distinguished by the NTSTATUS (MS-SFU §3.2.5.2).</summary>
internal static class DelegationErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the delegation list of {n.Account} does not contain {n.Service}, and the service does not allow the account to "
                + $"delegate to it",
            Remedies.AllowDelegation) { Code = BadOption, NtStatus = NtStatusNames.NotFound },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the delegation list of {n.Account} is empty and must contain {n.Service}",
            Remedies.AllowDelegation) { Code = BadOption, NtStatus = NtStatusNames.NotSupported },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the delegation list of {n.Account} does not contain {n.Service}",
            Remedies.AllowDelegation) { Code = BadOption, NtStatus = NtStatusNames.NoMatch },
        new(KcdStage.Delegation, UserNotPermitted, NoTicket,
            n => $"the KDC does not allow {n.Account} to delegate {n.User}: the user is protected from delegation, or the account is "
                + $"not allowed "
                + "to use protocol transition",
            Remedies.TransitionOrUser) { Code = BadOption, NtStatus = NtStatusNames.AccountRestriction },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the target is in another domain, where the delegation list of {n.Account} has no effect: {n.Service}",
            n => "Across domains, " + Remedies.AllowOnTarget(n))
        { Code = BadOption, NtStatus = NtStatusNames.CrossRealmDelegationFailure },
        new(KcdStage.Delegation, UserNotPermitted, NoTicket,
            n => $"the KDC does not allow {n.Account} to act as {n.User}",
            Remedies.TransitionOrUser) { Code = BadOption, In = Steps.FindingUser },
        // MIT and Samba give no NTSTATUS. If the evidence had not been forwardable, the client would have reported that: the lists remain.
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC does not allow {n.Account} to delegate {n.User} to {n.Service}: the SPN is not on the account's delegation "
                + $"list and "
                + "the service does not allow the account, or the KDC does not support resource-based delegation (Samba before 4.19, "
                    + "and Samba "
                + "across trusts)",
            Remedies.AllowDelegation) { Code = BadOption },
    ];
}
