using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>Finds out why delegation fails: runs the checks of the three stages and of the domain. It changes nothing, and proves each key
/// once at one KDC.</summary>
internal static class DelegationDoctor
{
    /// <summary>All checks, in the order of the report.</summary>
    public static IReadOnlyList<DoctorCheck> Checks { get; } =
    [
        .. UserChecks.All,
        .. KdcChecks.All,
        .. KeyChecks.All,
        .. AccountChecks.All,
        .. DelegationChecks.All,
        .. BackendChecks.All,
        .. BackendTicketChecks.All,
        .. DomainChecks.All,
    ];

    /// <summary>Makes the checks and returns the report.</summary>
    /// <param name="request">What to examine.</param>
    /// <param name="progress">Receives each finding as soon as it is known, and before that the check that runs. May be null.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static async Task<DoctorReport> ExamineAsync(
        DoctorRequest request, Action<DoctorCheck, string, DoctorFinding?>? progress, CancellationToken cancellationToken)
    {
        var start = request.TimeProvider.GetTimestamp();
        var startedAt = request.TimeProvider.GetUtcNow();
        var cases = Group(request);
        var findings = new List<DoctorFinding>();
        try
        {
            foreach (var stage in Enum.GetValues<DoctorStage>())
            {
                foreach (var each in cases)
                    await ExamineStageAsync(request, each, stage, findings, progress, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            foreach (var each in cases)
                await each.Account.DisposeAsync().ConfigureAwait(false);
        }
        return new DoctorReport(
            startedAt, request.TimeProvider.GetElapsedTime(start), findings, SettingsDigest.Create(request.Settings));
    }

    private static List<DoctorCase> Group(DoctorRequest request)
    {
        var applications = request.Settings.Applications.Values
            .Where(application => request.Applications.Count == 0
                || request.Applications.Contains(application.Name, StringComparer.OrdinalIgnoreCase))
            .OrderBy(application => application.Name, StringComparer.Ordinal);
        return
        [
            .. applications.GroupBy(application => application.Client)
                .Select(group => DoctorCase.Create(request, group.Key, [.. group])),
        ];
    }

    private static async Task ExamineStageAsync(
        DoctorRequest request,
        DoctorCase subject,
        DoctorStage stage,
        List<DoctorFinding> findings,
        Action<DoctorCheck, string, DoctorFinding?>? progress,
        CancellationToken cancellationToken)
    {
        foreach (var check in Checks.Where(check => check.Stage == stage
            && (request.Only.Count == 0 || request.Only.Contains(check.Id, StringComparer.OrdinalIgnoreCase))))
        {
            if (!await subject.AppliesAsync(check, cancellationToken).ConfigureAwait(false))
                continue;
            foreach (var each in subject.GetSubjects(check))
            {
                progress?.Invoke(check, each.Name, null);
                var finding = await ExamineAsync(subject, each, cancellationToken).ConfigureAwait(false);
                finding = finding with { Number = findings.Count + 1 };
                findings.Add(finding);
                progress?.Invoke(check, each.Name, finding);
            }
        }
    }

    private static async Task<DoctorFinding> ExamineAsync(DoctorCase all, CheckSubject subject, CancellationToken cancellationToken)
    {
        try
        {
            return await all.FindObstacleAsync(subject, cancellationToken).ConfigureAwait(false) switch
            {
                { Fault: { } fault } =>
                    await subject.Check.RunAsync(subject with { Fault = fault }, cancellationToken).ConfigureAwait(false),
                { Because: { } because, IsNoAnswer: var isNoAnswer } => subject.Skip(because, isNoAnswer),
                _ => await subject.Check.RunAsync(subject, cancellationToken).ConfigureAwait(false),
            };
        }
        catch (DirectoryException error)
        {
            return subject.Skip($"The directory failed during the check: {error.Message}", isNoAnswer: true);
        }
        catch (KerberosException error)
        {
            return subject.Skip($"An exchange failed during the check: {error.Message}", error.IsTransient);
        }
    }
}
