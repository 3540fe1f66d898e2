using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.KcdErrorKind;

namespace KcdDelegation.Diagnosis;

/// <summary>Causes that the NTSTATUS shows, whatever the code is.</summary>
internal static class StatusErrors
{
    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the member count limit of access tokens is exceeded: {n.User} is a member of more than 1,010 groups",
            n => $"Remove the user from groups, or nest fewer of them: `{n.GetUser} -Properties TokenGroups`.")
        { NtStatus = NtStatusNames.TooManyContextIds },
        new(KcdStage.Delegation, Configuration, NoCredentials,
            n => $"the account requires a smart card for log-on, so its password is not accepted: {n.Account}",
            n => "An account that delegates cannot have this flag. Remove it, and set a new password, because the flag replaced it by a "
                + "random one: "
                + Remedies.Run(
                    n,
                    $"Set-{n.AccountCmdlet} -Identity {n.AccountEntry.AtServer} -SmartcardLogonRequired $false",
                    $"samba-tool user setpassword {n.AccountQuoted} --clear-smartcard-required",
                    $"kadmin.local cpw {n.AccountQuoted}",
                    $"kadmin -l cpw {n.AccountQuoted}")
                + $" {Remedies.RenewKey(n)}")
        { NtStatus = NtStatusNames.SmartCardLogonRequired, In = Steps.LoggingOn },
        new(KcdStage.Identity, UserNotPermitted, NoTicket,
            n => $"the account of {n.User} requires a smart card for log-on, and the KDC does not delegate it",
            n => $"Check the flag: `{n.GetUser} -Properties SmartcardLogonRequired`. Protocol transition does not need it; remove it if "
                + $"it is not intended.")
        { NtStatus = NtStatusNames.SmartCardLogonRequired },
        new(KcdStage.Delegation, Configuration, NoTicket,
            n => $"the KDC does not allow {n.Account} to read the group memberships of {n.User}",
            Remedies.AllowGroupMemberships) { NtStatus = NtStatusNames.AccessDenied, In = Steps.FindingUser },
    ];
}
