using System.Globalization;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The checks of one application's target in the directory, and of the right to delegate to it.</summary>
internal static class DelegationChecks
{
    public static IReadOnlyList<DoctorCheck> All { get; } =
    [
        new(CheckIds.Trust, DoctorStage.Delegation, CheckScope.Application, CheckNeeds.User | CheckNeeds.LogOn | CheckNeeds.Ticket,
            "The trusts between the realms of account, user and target allow delegation.", CheckTrustAsync),
        new(CheckIds.TargetSpn, DoctorStage.Delegation, CheckScope.Application, CheckNeeds.LogOn | CheckNeeds.Ticket,
            "Exactly one account holds the service principal name of the application.", CheckSpnAsync),
        new(CheckIds.TargetAccount, DoctorStage.Delegation, CheckScope.Application, CheckNeeds.LogOn | CheckNeeds.Ticket,
            "The account that runs the backend is enabled and may be a service.", CheckAccountAsync),
        new(CheckIds.TargetEncryptionTypes, DoctorStage.Delegation, CheckScope.Application, CheckNeeds.LogOn | CheckNeeds.Ticket,
            "Tickets to the backend are encrypted with AES.", CheckEncryptionTypesAsync),
        new(CheckIds.DelegationList, DoctorStage.Delegation, CheckScope.Application, CheckNeeds.LogOn | CheckNeeds.Ticket,
            "A delegation list allows the account to delegate to the application.", CheckListAsync),
        new(CheckIds.Ticket, DoctorStage.Delegation, CheckScope.Application, CheckNeeds.User | CheckNeeds.LogOn | CheckNeeds.Ticket,
            "The account gets a ticket to the application in the user's name.", CheckTicketAsync),
    ];

    private static async Task<DoctorFinding> CheckTrustAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var user = subject.Application!.User!;
        if (subject.Fault is { Code: KerberosErrorCode.ClientPrincipalUnknown } unknown
            && await user.IsKnownInOwnRealmAsync(cancellationToken).ConfigureAwait(false) == true)
        {
            return subject.Fix(
                $"The realm {user.Principal.Realm} has the user {user.Principal.Name}, but the KDC of {subject.Account.Realm} does not "
                + "accept the user across the trust.",
                subject.Account.Software == KdcSoftware.Samba
                    ? "Samba does not support protocol transition for users of another realm. Use a delegating account of the user's realm."
                    : "Check that the trust is two-way, and that selective authentication allows the user: "
                        + $"`Get-ADTrust -Filter * -Server {subject.Account.Domain}`.",
                $"The KDC's answer: {unknown.Message}");
        }
        return subject.Fault is { } fault ? subject.Explain(fault)
            : user.IsInAccountDomain ? subject.Ok("Account and user are in the same realm.")
            : subject.Ok($"The realm of the user, {user.Principal.Realm}, and the account's refer to each other.");
    }

    private static async Task<DoctorFinding> CheckSpnAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var application = subject.Application!;
        var directory = (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts;
        var holders = await FindHoldersAsync(application, directory, cancellationToken).ConfigureAwait(false);
        var evidence = holders.Select(holder => $"{application.ServiceName} belongs to {holder.DistinguishedName}").ToList();
        if (holders.Count > 1)
        {
            var wrong = FindWrongHolder(holders, application);
            var service = subject.Names().ServiceQuoted;
            return subject.Fix(
                $"{holders.Count} accounts hold {application.ServiceName}. The controller does not know whose key to use.",
                "Remove it from the account that does not run the backend: " + Remedies.Run(
                    subject.Names(), $"setspn -D {service} {wrong.Quoted}",
                    $"samba-tool spn delete {service} {wrong.Quoted}", "", ""),
                evidence);
        }
        if (subject.Fault is { } fault)
        {
            return directory is null
                ? subject.Explain(fault)
                : await ExplainMissingAsync(subject, fault, directory, cancellationToken).ConfigureAwait(false);
        }
        if (directory is null)
            return subject.Ok($"The KDC issues tickets to {application.Service}.");
        return holders.Count == 1 ? subject.Ok($"The account is {holders[0].Name}.", evidence)
            : subject.User is not null || application.User is not null
                ? subject.Ok($"The KDC issues tickets to {application.Service}; the account that holds it is in another domain.")
                : await ExplainMissingAsync(subject, null, directory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the holders in the domain and, if a global catalog answers, in the other domains of the forest.</summary>
    private static async Task<IReadOnlyList<AccountRecord>> FindHoldersAsync(
        ApplicationFacts application, DirectoryFacts? directory, CancellationToken cancellationToken)
    {
        var own = await application.GetHoldersAsync(cancellationToken).ConfigureAwait(false);
        if (directory is null)
            return own;
        var forest = await directory.FindHoldersInForestAsync(application.ServiceName, cancellationToken).ConfigureAwait(false) ?? [];
        return [.. own, .. forest.Where(holder => own.All(each =>
            !string.Equals(each.DistinguishedName, holder.DistinguishedName, StringComparison.OrdinalIgnoreCase)))];
    }

    /// <summary>Looks for names that differ in port, class or domain suffix from the one that is configured.</summary>
    private static async Task<DoctorFinding> ExplainMissingAsync(
        CheckSubject subject, KerberosException? fault, DirectoryFacts directory, CancellationToken cancellationToken)
    {
        var application = subject.Application!;
        var label = application.Service.Host.Split('.')[0];
        var similar = (await directory.FindSimilarHoldersAsync($"HTTP/{label}", cancellationToken).ConfigureAwait(false))
            .SelectMany(holder => holder.ServiceNames.Select(name => (Holder: holder, Name: name)))
            .Where(entry => IsSimilar(entry.Name, label))
            .ToList();
        var target = similar.Count > 0 ? similar[0].Holder.Quoted : "TARGET";
        var text = similar.Count > 0
            ? $"No account holds {application.ServiceName}. A similar name is registered: "
                + $"{string.Join(", ", similar.Take(5).Select(entry => entry.Name))}."
            : $"No account holds {application.ServiceName}.";
        var names = subject.Names();
        var remedy = "Register the name on the account that runs the backend: " + Remedies.Run(
                names, $"setspn -S {names.ServiceQuoted} {target}", $"samba-tool spn add {names.ServiceQuoted} {target}", "", "")
            + (similar.Count > 0 ? DescribeSimilar(similar[0].Name) : "");
        return subject.Fix(
            text, remedy,
            [.. similar.Take(8).Select(entry => $"{entry.Name} belongs to {entry.Holder.DistinguishedName}"),
                .. fault is null ? Array.Empty<string>() : [$"The KDC's answer: {fault.Message}"]]);
    }

    /// <summary>Returns the other way to correct a name, for one that the directory has.</summary>
    internal static string DescribeSimilar(string name) =>
        $" Or set ServicePrincipalName of the application to {ErrorNames.Quote(name, "SPN")}, if that is the name of the backend.";

    private static bool IsSimilar(string name, string label)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && name.AsSpan(slash + 1).StartsWith(label, StringComparison.OrdinalIgnoreCase)
            && (name.Length == slash + 1 + label.Length || name[slash + 1 + label.Length] is '.' or ':');
    }

    /// <summary>Returns the holder that should not have the name: the one with fewer other names of the host, then the one whose password
    /// was set later.</summary>
    private static AccountRecord FindWrongHolder(IReadOnlyList<AccountRecord> holders, ApplicationFacts application)
    {
        var label = application.Service.Host.Split('.')[0];
        return holders
            .OrderBy(holder => holder.ServiceNames.Count(name =>
                !string.Equals(name, application.ServiceName, StringComparison.OrdinalIgnoreCase) && IsSimilar(name, label)))
            .ThenByDescending(holder => holder.PasswordLastSet ?? long.MaxValue)
            .First();
    }

    private static async Task<DoctorFinding> CheckAccountAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var names = subject.Names();
        var holders = await subject.Application!.GetHoldersAsync(cancellationToken).ConfigureAwait(false);
        var holder = holders is [var only] ? only : null;
        var target = names.TargetEntry with { Name = holder?.Quoted ?? names.TargetEntry.Name };
        if (holder is { IsDisabled: true })
            return subject.Fix(
                "The account that runs the backend is disabled.", AccountCommands.Enable(names, target), holder.DistinguishedName);
        if (holder is { IsExpired: true })
            return subject.Fix(
                "The account that runs the backend has expired.", AccountCommands.Extend(names, target), holder.DistinguishedName);
        return subject.Fault is { } fault ? subject.Explain(fault)
            : subject.Application.User is null && holder is null ? subject.Skip("It shows with a user: specify --user.")
            : subject.Ok(holder is null ? "" : $"The account is {holder.Name}.");
    }

    private static async Task<DoctorFinding> CheckEncryptionTypesAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var application = subject.Application!;
        var names = subject.Names();
        var holders = await application.GetHoldersAsync(cancellationToken).ConfigureAwait(false);
        var holder = holders is [var only] ? only : null;
        var target = names.TargetEntry with { Name = holder?.Quoted ?? names.TargetEntry.Name };
        List<string> evidence = holder is null ? []
            : [$"msDS-SupportedEncryptionTypes of {holder.Name}: {holder.FormatEncryptionTypes()}"];
        if (subject.Fault is { } fault)
            return subject.Explain(fault, AccountCommands.EnableAes(names, target), evidence);
        if (application.User is null)
        {
            return holder is { DeclaresAes: false }
                ? subject.Fix("The account that runs the backend declares no AES type.", AccountCommands.EnableAes(names, target), evidence)
                : subject.Ok("", evidence);
        }
        var ticket = (await application.User.GetTicketAsync(application.Service, cancellationToken).ConfigureAwait(false)).Ticket!;
        var version = ticket.TicketKeyVersion?.ToString(CultureInfo.InvariantCulture) ?? "not given";
        evidence.Add($"Ticket: {ticket.TicketEncryptionType}, key version {version}");
        return ticket.TicketEncryptionType == EncryptionType.Rc4Hmac
            ? subject.Fix(
                "The ticket to the backend is encrypted with RC4. Controllers with the updates of 2026 refuse it.",
                AccountCommands.EnableAes(names, target), evidence)
            : subject.Ok("", evidence);
    }

    private static async Task<DoctorFinding> CheckListAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var application = subject.Application!;
        var record = await subject.Account.GetRecordAsync(cancellationToken).ConfigureAwait(false);
        var holders = await application.GetHoldersAsync(cancellationToken).ConfigureAwait(false);
        var isListed = record?.AllowedTargets.Contains(application.ServiceName, StringComparer.OrdinalIgnoreCase) == true;
        List<string> evidence = record is null ? []
            : [$"msDS-AllowedToDelegateTo of {record.Name}: {record.AllowedTargets.Count} targets, {(isListed ? "with" : "without")} "
                + application.ServiceName];
        var isAllowedByTarget = await IsAllowedByTargetAsync(subject, holders, record, evidence, cancellationToken).ConfigureAwait(false);
        if (subject.Fault is null && holders is [{ AllowedToAct: { } descriptor } holder]
            && AllowedAccounts.Read(descriptor).AllowsEveryone)
        {
            return subject.Look(
                $"The list of {holder.Name} allows every account to delegate to it: each account with a service principal name can act "
                + "there as anyone.",
                "Replace the list by one with the delegating accounts.", evidence);
        }
        if (subject.Fault is { } fault)
            return ExplainMissing(subject, fault, record, evidence);
        if (application.User is not null)
            return subject.Ok(isListed ? "The account's own list has it." : "", evidence);
        if (record is null)
            return subject.Skip("It shows with a user: specify --user.");
        return isListed || isAllowedByTarget
            ? subject.Ok(isListed ? "The account's own list has it." : "The target's own list has the account.", evidence)
            : ExplainMissing(subject, null, record, evidence);
    }

    /// <summary>Determines whether the target's own list allows the account, and adds the list to the evidence.</summary>
    private static async Task<bool> IsAllowedByTargetAsync(
        CheckSubject subject,
        IReadOnlyList<AccountRecord> holders,
        AccountRecord? record,
        List<string> evidence,
        CancellationToken cancellationToken)
    {
        if (holders is not [{ AllowedToAct: { } descriptor } holder])
            return false;
        var list = AllowedAccounts.Read(descriptor);
        if (!list.IsValid)
        {
            evidence.Add(
                $"msDS-AllowedToActOnBehalfOfOtherIdentity of {holder.Name} is not a security descriptor, so it allows no account.");
            return false;
        }
        var directory = (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts!;
        var known = await directory.FindNamesAsync([.. list.Entries.Select(entry => entry.Account)], cancellationToken)
            .ConfigureAwait(false);
        evidence.Add($"Accounts that {holder.Name} allows: {Describe(list.Allowed)}");
        if (list.Denied.Any())
            evidence.Add($"Accounts that {holder.Name} denies: {Describe(list.Denied)}");
        if (record?.SecurityIdentifier is not { } own)
            return false;
        var groups = await directory.FindGroupsAsync(record, cancellationToken).ConfigureAwait(false) ?? [];
        return list.IsAllowing([own, .. groups]);

        string Describe(IEnumerable<string> identifiers) =>
            string.Join(", ", identifiers.Take(20).Select(sid => known.TryGetValue(sid, out var name) ? $"{name} ({sid})" : sid))
                is { Length: > 0 } text ? text : "none";
    }

    private static DoctorFinding ExplainMissing(
        CheckSubject subject, KerberosException? fault, AccountRecord? record, List<string> evidence)
    {
        var application = subject.Application!;
        var names = subject.Names();
        var label = application.Service.Host.Split('.')[0];
        var similar = record?.AllowedTargets.FirstOrDefault(name => IsSimilar(name, label));
        if (fault is not null)
            evidence.Add($"The KDC's answer: {fault.Message}");
        var text = record is { AllowedTargets.Count: 0 }
            ? $"The account's delegation list is empty; it must contain {application.ServiceName}."
            : similar is not null
                ? $"The account's delegation list contains {similar}, and the application is configured with {application.ServiceName}."
            : $"No delegation list allows the account to delegate to {application.ServiceName}.";
        return subject.Fix(text, DelegationListCommands.Allow(names), evidence);
    }

    private static async Task<DoctorFinding> CheckTicketAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        if (subject.Fault is { } fault)
            return subject.Explain(fault);
        var application = subject.Application!;
        var ticket = (await application.User!.GetTicketAsync(application.Service, cancellationToken).ConfigureAwait(false)).Ticket!;
        return subject.Ok(
            $"The ticket is for {ticket.User} to {ticket.Service}.",
            $"Valid until {ticket.EndTime:u}, session key {ticket.SessionKeyType}, flags {ticket.Flags}");
    }
}
