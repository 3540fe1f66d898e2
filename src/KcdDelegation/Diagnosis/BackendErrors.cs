using KcdDelegation.Kerberos;
using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>The backend's own KRB-ERROR.</summary>
internal static class BackendErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Target, TicketRefused,
            n => $"the backend cannot open the ticket to {n.Service}: the account that runs the backend is not the one that holds "
                + "the SPN, or its key is old",
            n => $"Move the SPN to the account that runs the backend (`setspn -Q {n.ServiceQuoted}` names the one that has it; IIS: useAppPoolCredentials), "
                + "or renew its keytab, and purge its tickets (`klist purge`).") { Code = Modified, In = Steps.AtTarget },
        new(KcdStage.Target, TicketRefused,
            n => $"the backend of {n.Service} sees another time than the KDC",
            Remedies.Clocks) { Code = Skew, In = Steps.AtTarget },
        new(KcdStage.Target, TicketRefused,
            n => $"the backend of {n.Service} answered with a Kerberos error",
            n => $"Look into the log of the backend, and which account holds its SPN: `setspn -Q {n.ServiceQuoted}`.")
        { Reason = KerberosFailureReason.KdcError, In = Steps.AtTarget },
    ];
}
