using KcdDelegation.Kerberos;
using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.KcdErrorKind;
using static KcdDelegation.Kerberos.KerberosFailureReason;

namespace KcdDelegation.Diagnosis;

/// <summary>Causes for which the password of a group managed service account cannot be read from the directory.</summary>
internal static class ManagedPasswordFindings
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        Row(ManagedPasswordFailure.NotPermitted, Configuration,
            n => $"the reader may not read the managed password of {n.Account}; the brackets name the reader",
            n => "Add the reader, or a group with it, to the principals that may retrieve the password, and restart the reader's session "
                + "after a change of groups. Active Directory: `Get-ADServiceAccount -Identity "
                + $"{n.AccountEntry.AtServer} "
                + "-Properties PrincipalsAllowedToRetrieveManagedPassword` shows the list, and `Set-ADServiceAccount "
                + $"-Identity {n.AccountEntry.AtServer} -PrincipalsAllowedToRetrieveManagedPassword LIST` replaces it. Samba: "
                + $"`samba-tool service-account group-msa-membership add --name={n.AccountQuoted} --principal=READER`."),
        Row(ManagedPasswordFailure.AccountNotFound, Configuration,
            n => $"the directory has no group managed service account of this name: {n.Account}",
            n => "Correct Kcd:ServiceAccount:Name: it is the sAMAccountName, with $ at its end. Active Directory: `Get-ADServiceAccount "
                + $"-Filter * -Server {n.AccountEntry.Domain}` lists the accounts. Samba: `samba-tool service-account list`."),
        Row(ManagedPasswordFailure.AccountDisabled, Configuration,
            n => $"{n.Account} is disabled in the directory, so it has no use for its managed password",
            n => $"Enable it: Active Directory `Enable-ADAccount -Identity {n.AccountEntry.AtServer}`, Samba "
                + $"`samba-tool user enable {n.AccountQuoted}`. Samba creates these accounts disabled."),
        Row(ManagedPasswordFailure.NotEncrypted, Configuration,
            n => $"the directory does not return the managed password of {n.Account}: it takes the connection for one without encryption, "
                + "or it cannot compute the password",
            _ => "This library encrypts every connection. Check that nothing between this machine and the controller ends TLS, that the "
                + "controller's clock was not set back, and that it can read the root key (Active Directory `Get-KdsRootKey`)."),
        Row(ManagedPasswordFailure.ReaderRefused, Configuration,
            n => $"the account that reads the managed password of {n.Account} was refused; the brackets name the cause",
            _ => "Repair the reader: Kcd:ServiceAccount:ManagedPassword:Reader is its sAMAccountName, and ReaderKeytab a keytab with its "
                + "current key. `kcd ticket` with the reader's account shows the cause of a refused log-on."),
        Row(ManagedPasswordFailure.Malformed, Configuration,
            n => $"the directory returned a managed password of {n.Account} that is not valid",
            Remedies.ReportBug),
        Row(ManagedPasswordFailure.Unavailable, Unavailable,
            n => $"the managed password of {n.Account} cannot be read, because no directory server answered",
            n => "Check that a domain controller can be reached from this machine on port 389, or on 636 with TLS, and that DNS lists it: "
                + $"`nslookup -type=SRV _ldap._tcp.dc._msdcs.{n.RealmDns}`. Kcd:ServiceAccount:ManagedPassword:Servers names servers "
                + "without DNS."),
    ];

    private static CatalogueRow Row(
        ManagedPasswordFailure failure, KcdErrorKind kind, Func<ErrorNames, string> cause, Func<ErrorNames, string> remedy) =>
        new(KcdStage.Delegation, kind, NoCredentials, cause, remedy)
        {
            Reason = KeyUnavailable,
            When = RowCondition.ManagedPasswordFails(failure),
        };
}
