using KcdDelegation.Diagnosis;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The checks of the domain as a whole.</summary>
internal static class DomainChecks
{
    public static IReadOnlyList<DoctorCheck> All { get; } =
    [
        new(CheckIds.DomainKrbtgt, DoctorStage.Domain, CheckScope.Account, CheckNeeds.LogOn | CheckNeeds.Directory,
            "The account krbtgt is not marked as sensitive.", CheckKrbtgtAsync),
        new(CheckIds.DomainControllers, DoctorStage.Domain, CheckScope.Account, CheckNeeds.LogOn | CheckNeeds.Directory,
            "The controllers have the same level.", CheckControllersAsync),
        new(CheckIds.DomainGroups, DoctorStage.Domain, CheckScope.User, CheckNeeds.User | CheckNeeds.LogOn | CheckNeeds.Directory,
            "The account may read the group memberships of users.", CheckGroupsAsync),
    ];

    private static async Task<DoctorFinding> CheckKrbtgtAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var directory = (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts!;
        var names = subject.Names();
        return await directory.FindAccountAsync("krbtgt", cancellationToken).ConfigureAwait(false) switch
        {
            null => subject.Look("The account may not read krbtgt.", "Check the rights of the account on the directory."),
            { IsSensitive: true } krbtgt => subject.Fix(
                "krbtgt is marked as sensitive, so no ticket of the domain is forwardable and no account can delegate.",
                Remedies.Run(
                    names, $"Set-ADAccountControl -Identity krbtgt -Server {names.AccountDns} -AccountNotDelegated $false",
                    "samba-tool user sensitive krbtgt off", "", ""),
                krbtgt.DistinguishedName),
            { } krbtgt => subject.Ok("", krbtgt.DistinguishedName),
        };
    }

    private static async Task<DoctorFinding> CheckControllersAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var directory = (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts!;
        var evidence = directory.Servers.Select(server => $"{server.HostName}: level {server.FunctionalLevel ?? "unknown"}").ToList();
        return directory.Servers.Select(server => server.FunctionalLevel).Distinct(StringComparer.Ordinal).Count() > 1
            ? subject.Look(
                "The controllers have different levels. They may answer the same request differently.",
                "Bring the controllers to the same version and the same updates.", evidence)
            : subject.Ok("", evidence);
    }

    private static async Task<DoctorFinding> CheckGroupsAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var directory = (await subject.Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts!;
        if (await subject.User!.GetRecordsAsync(cancellationToken).ConfigureAwait(false) is not [var record])
            return subject.Skip("The directory of the account's domain has no single account for the user.");
        return await directory.FindGroupsAsync(record, cancellationToken).ConfigureAwait(false) is { } groups
            ? subject.Ok("", $"{groups.Count} groups of {record.Name}, nested ones included")
            : subject.Look(
                "The account may not read the group memberships of the user. Windows then refuses protocol transition for some users.",
                Remedies.AllowGroupMemberships(subject.Names()));
    }
}
