using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>KDC_ERR_BADOPTION (13, RFC 4120 §7.5.9): the right to delegate, told apart by the NTSTATUS (MS-SFU §3.2.5.2).</summary>
internal static class DelegationErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Delegation, NoTicket,
            n => $"neither is {n.Service} on the delegation list of {n.Account}, nor does the service trust the account to delegate",
            Remedies.AllowDelegation) { Code = BadOption, NtStatus = NtStatusNames.NotFound },
        new(KcdStage.Delegation, NoTicket,
            n => $"there is no delegation list for {n.Account} at all, and {n.Service} must be on one",
            Remedies.AllowDelegation) { Code = BadOption, NtStatus = NtStatusNames.NotSupported },
        new(KcdStage.Delegation, NoTicket,
            n => $"the delegation list of {n.Account} does not have {n.Service}",
            Remedies.AllowDelegation) { Code = BadOption, NtStatus = NtStatusNames.NoMatch },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC does not let {n.Account} delegate {n.User}: he is protected from delegation, or the account may not use protocol transition",
            Remedies.TransitionOrUser) { Code = BadOption, NtStatus = NtStatusNames.AccountRestriction },
        new(KcdStage.Delegation, NoTicket,
            n => $"{n.Service} is in another domain, where the delegation list of {n.Account} does not reach",
            n => "Across domains, " + Remedies.AllowOnTarget(n))
        { Code = BadOption, NtStatus = NtStatusNames.CrossRealmDelegationFailure },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC does not let {n.Account} act as {n.User}",
            Remedies.TransitionOrUser) { Code = BadOption, In = Steps.FindingUser },
        // MIT and Samba say no more than this. The evidence was forwardable, else the client would have said so: the lists are left.
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC does not let {n.Account} delegate {n.User} to {n.Service}: the SPN is neither on the account's delegation list nor "
                + "does the service trust the account, or the KDC knows no resource-based delegation (Samba before 4.19, and Samba across trusts)",
            Remedies.AllowDelegation) { Code = BadOption },
    ];
}
