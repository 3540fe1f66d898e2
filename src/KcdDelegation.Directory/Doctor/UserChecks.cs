using System.Globalization;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The checks of the user: what the directory has under the name, and whether that account may be delegated.</summary>
internal static class UserChecks
{
    /// <summary>The largest token that Windows creates by default, in bytes (MaxTokenSize).</summary>
    private const int LargestToken = 48_000;

    /// <summary>The smallest limit of the usual servers for one field, in bytes.</summary>
    private const int SmallestField = 8_190;

    private const int IisField = 16_384;

    public static IReadOnlyList<DoctorCheck> All { get; } =
    [
        new(CheckIds.UserToken, DoctorStage.Identity, CheckScope.User, CheckNeeds.User,
            "The token is valid and maps to a user of the directory.", CheckTokenAsync),
        new(CheckIds.UserAccount, DoctorStage.Identity, CheckScope.User, CheckNeeds.User | CheckNeeds.LogOn | CheckNeeds.Evidence,
            "Exactly one account has the name.", CheckAccountAsync),
        new(CheckIds.UserState, DoctorStage.Identity, CheckScope.User, CheckNeeds.User | CheckNeeds.LogOn | CheckNeeds.Ticket,
            "The user's account is enabled, and neither the account nor its password has expired.", CheckStateAsync),
        new(CheckIds.UserDelegation, DoctorStage.Identity, CheckScope.User, CheckNeeds.User | CheckNeeds.LogOn | CheckNeeds.Ticket,
            "The user may be delegated.", CheckDelegationAsync),
        new(CheckIds.UserNames, DoctorStage.Identity, CheckScope.User, CheckNeeds.User | CheckNeeds.LogOn | CheckNeeds.Evidence,
            "The KDC and the directory mean the same account by the name.", CheckNamesAsync),
        new(CheckIds.UserSize, DoctorStage.Identity, CheckScope.User, CheckNeeds.User | CheckNeeds.LogOn | CheckNeeds.Ticket,
            "The user's ticket fits the header limits of the usual servers.", CheckSizeAsync),
    ];

    private static Task<DoctorFinding> CheckTokenAsync(CheckSubject subject, CancellationToken cancellationToken) =>
        Task.FromResult(subject.Request.Token switch
        {
            null => subject.Skip("No token was given: --token FILE."),
            { Failure: { } failure } => subject.Fix(failure.Cause, failure.Remedy),
            { } token => subject.Ok(
                $"It maps to {token.Identity}.",
                string.Create(CultureInfo.InvariantCulture, $"Length of the token: {token.Length} bytes")),
        });

    private static async Task<DoctorFinding> CheckAccountAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var user = subject.User!;
        var records = await user.GetRecordsAsync(cancellationToken).ConfigureAwait(false);
        var evidence = records.Select(record =>
            $"{record.DistinguishedName}: sAMAccountName {record.Name}, userPrincipalName {record.UserPrincipalName ?? "none"}").ToList();
        if (records.Count > 1)
        {
            var impostor = GetImpostor(records, user.Principal);
            var upn = ErrorNames.Quote($"{impostor.Name}@{subject.Account.Domain}", "UPN");
            return subject.Fix(
                $"{records.Count} accounts match the name {user.Principal.Name}: the user principal name of one is the account name of "
                + "another. Which of them a controller means is not certain.",
                "Change the user principal name of the account that should not match: " + Remedies.Run(
                    subject.Names(),
                    $"Set-ADUser -Identity {impostor.Quoted} -Server {subject.Names().UserDns} -UserPrincipalName {upn}",
                    $"samba-tool user rename {impostor.Quoted} --upn={upn}", "", ""),
                evidence);
        }
        if (subject.Fault is { } fault)
        {
            return records.Count == 0 && user.IsInAccountDomain
                && (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts is not null
                ? subject.Explain(
                    fault,
                    $"No account of {subject.Account.Domain} has the name {user.Principal.Name}, as account name or user principal name.",
                    "Correct the name. If the directory has another name for this person, select another LoginIdentity, or list the suffix "
                    + "of the name under Kcd:Realms:REALM:UserPrincipalSuffixes.")
                : subject.Explain(fault, evidence: evidence);
        }
        return subject.Ok(records.Count == 1 ? $"It is {records[0].DistinguishedName}." : "", evidence);
    }

    /// <summary>Returns the account whose user principal name looks like the account name of the other one.</summary>
    private static AccountRecord GetImpostor(IReadOnlyList<AccountRecord> records, KerberosPrincipal user)
    {
        var name = user.Name.Split('@')[0];
        return records.FirstOrDefault(record => !string.Equals(record.Name, name, StringComparison.OrdinalIgnoreCase)) ?? records[0];
    }

    private static async Task<DoctorFinding> CheckStateAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var names = subject.Names(KerberosExchange.S4U2Self);
        var record = (await subject.User!.GetRecordsAsync(cancellationToken).ConfigureAwait(false)) is [var only] ? only : null;
        var entry = record is null ? names.UserEntry : names.UserEntry with { Name = record.Quoted };
        if (record is { IsDisabled: true })
            return subject.Fix("The user's account is disabled.", AccountCommands.Enable(names, entry), record.DistinguishedName);
        if (record is { IsExpired: true })
            return subject.Fix("The user's account has expired.", AccountCommands.Extend(names, entry), record.DistinguishedName);
        if (record is { IsLocked: true })
            return subject.Fix("The user's account is locked out.", AccountCommands.Unlock(names, entry), record.DistinguishedName);
        if (subject.Fault is { } fault)
        {
            return subject.Explain(fault, fault.Code switch
            {
                KerberosErrorCode.ClientExpired => AccountCommands.Extend(names, entry),
                KerberosErrorCode.ClientRevoked when fault.NtStatus is null => AccountCommands.Enable(names, entry),
                _ => null,
            });
        }
        return record is { IsPasswordExpired: true }
            ? subject.Look(
                "The user's password has expired or must be changed. Windows and MIT delegate such a user, Samba does not.",
                "Have the user change the password.")
            : subject.Ok("");
    }

    private static async Task<DoctorFinding> CheckDelegationAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var names = subject.Names();
        var record = (await subject.User!.GetRecordsAsync(cancellationToken).ConfigureAwait(false)) is [var only] ? only : null;
        var entry = record is null ? names.UserEntry : names.UserEntry with { Name = record.Quoted };
        var remedy = "If this user should be delegated: " + AccountCommands.AllowForwarding(names, entry);
        if (record is { IsSensitive: true })
            return subject.Fix("The user is marked as sensitive and cannot be delegated.", remedy, record.DistinguishedName);
        if (record is not null)
        {
            var directory = (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts!;
            if (await directory.FindProtectedUsersAsync(record, cancellationToken).ConfigureAwait(false) is not null)
            {
                return subject.Fix(
                    "The user is a member of Protected Users. Windows does not delegate such a user.",
                    "If this user should be delegated, remove the user from the group: "
                        + GroupCommands.Remove(names, names.UserDns, GroupCommands.ProtectedUsers, record),
                    record.DistinguishedName);
            }
        }
        return subject.Fault is { } fault
            ? subject.Explain(
                fault, "The user is protected from delegation: the account may use any authentication protocol, and the KDC issues no "
                + "forwardable ticket for this user.", remedy)
            : subject.Ok("");
    }

    private static async Task<DoctorFinding> CheckNamesAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        if (subject.Fault is { } fault)
            return subject.Explain(fault);
        var (evidence, _) = await subject.User!.GetEvidenceAsync(cancellationToken).ConfigureAwait(false);
        var records = await subject.User.GetRecordsAsync(cancellationToken).ConfigureAwait(false);
        if (records is not [{ SecurityIdentifier: { } known } record] || evidence?.SecurityIdentifier is not { } issued)
            return subject.Ok("");
        string[] lines =
        [
            $"SID in the directory: {known}", $"SID in the ticket: {issued}", $"sAMAccountName: {record.Name}",
            $"userPrincipalName: {record.UserPrincipalName ?? "none"}",
        ];
        return known == issued
            ? subject.Ok("", lines)
            : subject.Fix(
                "The ticket of the KDC belongs to another account than the one that the directory has under the name.",
                "Check the replication of the controllers, and give the two accounts different names.", lines);
    }

    private static async Task<DoctorFinding> CheckSizeAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        foreach (var application in subject.Applications)
        {
            if ((await subject.User!.GetTicketAsync(application.Service, cancellationToken).ConfigureAwait(false)).Ticket is not { } ticket)
                continue;
            // Base64 of the ticket, the authenticator and the frame of the header.
            var header = ((ticket.Size + 600) / 3 * 4) + 16;
            var groups = await CountGroupsAsync(subject, cancellationToken).ConfigureAwait(false);
            string[] evidence =
            [
                string.Create(CultureInfo.InvariantCulture, $"Ticket: {ticket.Size} bytes, Authorization header: about {header} bytes"),
                groups is { } count ? string.Create(CultureInfo.InvariantCulture, $"Groups, nested ones included: {count}")
                    : "Groups: not known",
            ];
            const string Raise =
                "Raise the limit of the backend (docs/troubleshooting.md lists the settings), or remove the user from groups.";
            if (ticket.Size > LargestToken)
                return subject.Fix(
                    $"The ticket is larger than {LargestToken} bytes, which Windows does not accept by default.", Raise, evidence);
            if (header > IisField)
                return subject.Look("The header is larger than IIS accepts by default (16 KB).", Raise, evidence);
            return header > SmallestField
                ? subject.Look("The header is larger than Apache, nginx and Tomcat accept by default (8 KB).", Raise, evidence)
                : subject.Ok("", evidence);
        }
        return subject.Skip("There is no ticket.");
    }

    private static async Task<int?> CountGroupsAsync(CheckSubject subject, CancellationToken cancellationToken) =>
        await subject.User!.GetRecordsAsync(cancellationToken).ConfigureAwait(false) is [var record]
        && (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts is { } directory
            ? (await directory.FindGroupsAsync(record, cancellationToken).ConfigureAwait(false))?.Count
            : null;
}
