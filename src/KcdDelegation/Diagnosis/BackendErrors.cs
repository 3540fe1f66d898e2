using KcdDelegation.Kerberos;
using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.KcdErrorKind;
using static KcdDelegation.Kerberos.KerberosErrorCode;

namespace KcdDelegation.Diagnosis;

/// <summary>The backend's own KRB-ERROR.</summary>
internal static class BackendErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Target, Configuration, TicketRefused,
            n => $"the backend cannot decrypt the ticket to {n.Service}: another account than the one that runs the backend holds "
                + "the SPN, or the backend's keytab is outdated or has RC4 keys only, and the ticket is encrypted with AES",
            n => $"Move the SPN to the account that runs the backend (`setspn -Q {n.ServiceQuoted}` lists the account that holds it; "
                + "on IIS, set useAppPoolCredentials to true). Or export the backend's keytab again with AES keys (`klist -ket` lists "
                    + "its types; "
                + $"`kcd ticket` prints the type of the ticket). {Remedies.PurgeTickets}")
        { Code = Modified, In = Steps.AtTarget },
        new(KcdStage.Target, Configuration, TicketRefused,
            n => $"the backend has no key of the type or version of the ticket to {n.Service}: "
                + "its keytab is outdated, or has RC4 keys only",
            n => "Export the backend's keytab again with AES keys (`klist -ket` lists its types and versions; event "
                + $"{TicketRefused} has those of the ticket). {Remedies.PurgeTickets}")
        { Code = NoKey, In = Steps.AtTarget },
        new(KcdStage.Target, Configuration, TicketRefused,
            n => $"the backend has no key of the version of the ticket to {n.Service}: its keytab is outdated",
            n => $"Export the backend's keytab again (`klist -ket` lists its versions). {Remedies.PurgeTickets}")
        { Code = BadKeyVersion, In = Steps.AtTarget },
        new(KcdStage.Target, Unavailable, TicketRefused,
            n => $"the clocks of the backend of {n.Service} and of the KDC differ by too much",
            Remedies.Clocks) { Code = Skew, In = Steps.AtTarget },
        new(KcdStage.Target, Configuration, TicketRefused,
            n => $"the backend of {n.Service} answered with a Kerberos error",
            n => $"Check the log of the backend, and which account holds its SPN: `setspn -Q {n.ServiceQuoted}`.")
        { Reason = KerberosFailureReason.KdcError, In = Steps.AtTarget },
    ];
}
