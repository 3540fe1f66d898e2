using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The checks of the account's rights and of what it must not be.</summary>
internal static class AccountChecks
{
    /// <summary>The number of targets above which a list can hardly be reviewed.</summary>
    private const int ManyTargets = 100;

    /// <summary>The groups whose members rule the domain (MS-DTYP §2.4.2.4), the most telling one first.</summary>
    private static readonly RulingGroup[] RulingGroups =
    [
        new("Domain Admins", "S-1-5-21-", "-512"),
        new("Schema Admins", "S-1-5-21-", "-518"),
        new("Enterprise Admins", "S-1-5-21-", "-519"),
        new("Administrators", "S-1-5-32-", "-544"),
        new("Account Operators", "S-1-5-32-", "-548"),
        new("Server Operators", "S-1-5-32-", "-549"),
        new("Backup Operators", "S-1-5-32-", "-551"),
        new("Key Admins", "S-1-5-21-", "-526"),
        new("Enterprise Key Admins", "S-1-5-21-", "-527"),
    ];

    /// <summary>Services through which an account can take over the domain.</summary>
    private static readonly string[] RulingClasses = ["ldap", "cifs", "krbtgt", "gc", "host", "rpcss", "dns"];

    public static IReadOnlyList<DoctorCheck> All { get; } =
    [
        new(CheckIds.Directory, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.Kdc | CheckNeeds.LogOn,
            "The directory of the domain answers the account.", CheckDirectoryAsync),
        new(CheckIds.AccountForwardable, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.Kdc | CheckNeeds.LogOn,
            "The account itself may be delegated, and so may delegate.", CheckForwardableAsync),
        new(CheckIds.AccountSpn, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.LogOn | CheckNeeds.Evidence,
            "The account has a service principal name.", CheckSpnAsync),
        new(CheckIds.AccountEncryptionTypes, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.LogOn | CheckNeeds.Evidence,
            "Tickets to the account are encrypted with AES.", CheckEncryptionTypesAsync),
        new(CheckIds.AccountAnyProtocol, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.LogOn | CheckNeeds.Ticket,
            "The account may use any authentication protocol (protocol transition).", CheckAnyProtocolAsync),
        new(CheckIds.AccountPrivileges, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.LogOn | CheckNeeds.Directory,
            "The account may delegate to listed services only, and rules nothing.", CheckPrivilegesAsync),
        new(CheckIds.AccountTargets, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.LogOn | CheckNeeds.Directory,
            "The account's list has no target through which it could take over the domain.", CheckTargetsAsync),
    ];

    private static async Task<DoctorFinding> CheckDirectoryAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var directory = await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        if (directory.Failure is { } failure)
        {
            return subject.Look(
                $"The directory cannot be asked: {failure.Message}",
                failure.Failure == DirectoryFailure.NoTicket
                    ? "Register the SPN of the controller's directory service, on Samba with `samba-tool spn add ldap/HOST 'DC$'`."
                    : "Open TCP port 389 to the controllers. The checks of the directory are skipped without it; delegation does not "
                        + "need it.")
                with { IsNoAnswer = true };
        }
        return directory.Facts is { } facts
            ? subject.Ok("", facts.Servers.Select(server => $"{server.HostName} at {server.Address}"))
            : subject.Ok("The realm has no directory of Active Directory; its checks do not apply.");
    }

    private static async Task<DoctorFinding> CheckForwardableAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var names = subject.Names();
        var remedy = "To allow the account to delegate: " + AccountCommands.AllowForwarding(names, names.AccountEntry);
        if (await subject.Account.GetRecordAsync(cancellationToken).ConfigureAwait(false) is { } record)
        {
            if (record.IsSensitive)
                return subject.Fix(
                    "The account is marked as sensitive and cannot be delegated.", remedy,
                    $"userAccountControl of {record.DistinguishedName}");
            var directory = (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts!;
            if (await directory.FindProtectedUsersAsync(record, cancellationToken).ConfigureAwait(false) is { } group)
            {
                return subject.Fix(
                    "The account is a member of Protected Users, so its tickets are not forwardable.",
                    "Remove it from the group: "
                        + GroupCommands.Remove(names, names.AccountDns, GroupCommands.ProtectedUsers, record),
                    $"Group {group}");
            }
        }
        if (subject.Fault is { } fault)
            return subject.Explain(fault, remedy);
        var ticket = await subject.Account.Client.GetTicketGrantingTicketAsync(cancellationToken).ConfigureAwait(false);
        return ticket.IsForwardable
            ? subject.Ok("")
            : subject.Fix("The account's own ticket is not forwardable, so it cannot delegate any user.", remedy, $"Flags: {ticket.Flags}");
    }

    private static async Task<DoctorFinding> CheckSpnAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var record = await subject.Account.GetRecordAsync(cancellationToken).ConfigureAwait(false);
        if (subject.Fault is { } fault)
        {
            var name = $"HTTP/{subject.Account.Name.TrimEnd('$').ToLowerInvariant()}.{subject.Account.Domain}";
            return subject.Explain(
                fault,
                Remedies.NameAccount(subject.Names()).Replace("HTTP/GATEWAY", ErrorNames.Quote(name, "SPN"), StringComparison.Ordinal),
                record is null ? []
                    : [$"servicePrincipalName: {(record.ServiceNames.Count == 0 ? "none" : string.Join(", ", record.ServiceNames))}"]);
        }
        return record is null ? subject.Ok("") : subject.Ok("", record.ServiceNames);
    }

    private static async Task<DoctorFinding> CheckEncryptionTypesAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var names = subject.Names();
        var record = await subject.Account.GetRecordAsync(cancellationToken).ConfigureAwait(false);
        string[] evidence = record is null ? []
            : [$"msDS-SupportedEncryptionTypes: {record.FormatEncryptionTypes()}"];
        if (subject.Fault is { } fault)
            return subject.Explain(fault, AccountCommands.DeclareAes(names, names.AccountEntry), evidence);
        return record is { DeclaresAes: false }
            ? subject.Fix(
                "The account declares no AES type. Controllers encrypt tickets to it with RC4, or refuse since the updates of 2026.",
                AccountCommands.DeclareAes(names, names.AccountEntry), evidence)
            : subject.Ok("", evidence);
    }

    private static async Task<DoctorFinding> CheckAnyProtocolAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var record = await subject.Account.GetRecordAsync(cancellationToken).ConfigureAwait(false);
        if (subject.Fault is { } fault)
        {
            // Without a directory and a second user, the account or the user may be the reason: the catalogue names both.
            if (record is null && subject.Account.Software is not (KdcSoftware.MitKrb5 or KdcSoftware.Heimdal))
                return subject.Explain(fault);
            return subject.Explain(
                fault,
                "The account may not use any authentication protocol (protocol transition), so the KDC issues no forwardable ticket for a "
                + "user who did not present a Kerberos ticket.",
                Remedies.AllowTransition(subject.Names()),
                record is null ? [] : [$"userAccountControl of {record.DistinguishedName}: TRUSTED_TO_AUTH_FOR_DELEGATION is not set"]);
        }
        if (subject.User is null && record is { IsTrustedForAnyProtocol: false, AllowedTargets.Count: > 0 })
        {
            return subject.Fix(
                "The account has a list of targets, and it may not use any authentication protocol. Users who did not present a Kerberos "
                + "ticket cannot be delegated to these targets.",
                Remedies.AllowTransition(subject.Names()));
        }
        return subject.User is null && record is null
            ? subject.Skip("It shows with a user: specify --user.")
            : subject.Ok("");
    }

    private static async Task<DoctorFinding> CheckPrivilegesAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var names = subject.Names();
        if (await subject.Account.GetRecordAsync(cancellationToken).ConfigureAwait(false) is not { } record)
            return subject.Skip("The directory does not show the account to itself.");
        if (record.IsTrustedForAnyService)
        {
            return subject.Fix(
                "The account is trusted for unconstrained delegation. It receives the ticket-granting tickets of its callers and can "
                    + "act as "
                + "them anywhere.",
                "Remove the right; delegation by list does not need it: " + Remedies.Run(
                    names, $"Set-ADAccountControl -Identity {names.AccountEntry.AtServer} -TrustedForDelegation $false",
                    $"samba-tool delegation for-any-service {names.AccountQuoted} off", "", ""),
                $"userAccountControl of {record.DistinguishedName}: TRUSTED_FOR_DELEGATION is set");
        }
        var directory = (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts!;
        var groups = await directory.FindGroupsAsync(record, cancellationToken).ConfigureAwait(false);
        if (groups is null)
            return subject.Look("The account may not read its own groups.", "Check the rights of the account on its own entry.");
        if (RulingGroups.FirstOrDefault(each => groups.Any(each.IsGroup)) is not { } ruling)
            return subject.Ok("", $"{groups.Count} groups, none of which rules the domain");
        return subject.Fix(
            $"The account is a member of {ruling.Name}. A fault of the gateway would be a fault of the whole domain.",
            "Remove it from the group: " + GroupCommands.Remove(names, names.AccountDns, ruling.Name, record),
            $"Group {groups.First(ruling.IsGroup)}");
    }

    private static async Task<DoctorFinding> CheckTargetsAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var names = subject.Names();
        if (await subject.Account.GetRecordAsync(cancellationToken).ConfigureAwait(false) is not { } record)
            return subject.Skip("The directory does not show the account to itself.");
        var directory = (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts!;
        var controllers = (await directory.FindControllersAsync(cancellationToken).ConfigureAwait(false))
            .SelectMany(controller => controller.ServiceNames.Select(GetHost)).OfType<string>()
            .Concat(directory.Servers.Select(server => server.HostName!))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var dangerous = record.AllowedTargets.FirstOrDefault(target => IsDangerous(target, controllers, subject.Account.Domain));
        if (dangerous is not null)
        {
            return subject.Fix(
                $"The account may act as anyone at {dangerous}, which is a service of a domain controller.",
                "Remove the target from the list: " + Remedies.Run(
                    names,
                    $"Set-{names.AccountCmdlet} -Identity {names.AccountEntry.AtServer} -Remove "
                        + $"@{{'msDS-AllowedToDelegateTo'={ErrorNames.Quote(dangerous, "SPN")}}}",
                    $"samba-tool delegation del-service {names.AccountQuoted} {ErrorNames.Quote(dangerous, "SPN")}", "", ""),
                $"{record.AllowedTargets.Count} targets on the list",
                "The name of the service in a ticket is not protected: a ticket to one service of a computer serves for all of its "
                + "services.");
        }
        return record.AllowedTargets.Count > ManyTargets
            ? subject.Look(
                $"The list has {record.AllowedTargets.Count} targets. Each is a service at which the account can act as anyone.",
                "Remove the targets that are not used any more, or use one account for each group of applications.")
            : subject.Ok($"{record.AllowedTargets.Count} targets are listed.");
    }

    /// <summary>Determines whether a target is a service of a controller.</summary>
    /// <param name="target">The service principal name.</param>
    /// <param name="controllers">The DNS names of the controllers, compared without case.</param>
    /// <param name="domain">The DNS name of the domain.</param>
    internal static bool IsDangerous(string target, IReadOnlySet<string> controllers, string domain)
    {
        var serviceClass = target.Split('/')[0];
        return string.Equals(serviceClass, "krbtgt", StringComparison.OrdinalIgnoreCase)
            || (GetHost(target) is { } host
                && (controllers.Contains(host)
                    || controllers.Contains($"{host}.{domain}")
                    || (string.Equals(host, domain, StringComparison.OrdinalIgnoreCase)
                        && RulingClasses.Contains(serviceClass, StringComparer.OrdinalIgnoreCase))));
    }

    /// <summary>Returns the host of a service principal name, or null if it has none.</summary>
    private static string? GetHost(string name) => name.Split('/') is [_, var host, ..] ? host.Split(':')[0] : null;

    /// <summary>A group by the start and the end of its SID.</summary>
    private sealed record RulingGroup(string Name, string Start, string End)
    {
        public bool IsGroup(string sid) => sid.StartsWith(Start, StringComparison.Ordinal) && sid.EndsWith(End, StringComparison.Ordinal);
    }
}
