using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Settings;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>One delegating account with its applications and users.</summary>
internal sealed class DoctorCase
{
    private readonly DoctorRequest _request;

    private DoctorCase(
        DoctorRequest request, AccountFacts account, UserFacts? user, UserFacts? other, IReadOnlyList<ApplicationFacts> applications) =>
        (_request, Account, User, OtherUser, Applications) = (request, account, user, other, applications);

    public AccountFacts Account { get; }

    public UserFacts? User { get; }

    public UserFacts? OtherUser { get; }

    public IReadOnlyList<ApplicationFacts> Applications { get; }

    /// <summary>Gets the further origins of the applications. The checks of the backend are made for each of them too.</summary>
    private IReadOnlyList<ApplicationFacts> Origins { get; init; } = [];

    public static DoctorCase Create(DoctorRequest request, ClientSettings client, IReadOnlyList<ApplicationSettings> applications)
    {
        var account = new AccountFacts(request, client);
        var principal = request.User?.ToPrincipal(applications[0].Mapping.UserRealm) ?? request.Token?.Identity;
        var user = principal is null ? null : new UserFacts(account, principal);
        var other = request.OtherUser is { } second ? new UserFacts(account, second.ToPrincipal(applications[0].Mapping.UserRealm)) : null;
        return new DoctorCase(
            request, account, user, other, [.. applications.Select(application => CreateFacts(application, origin: null))])
        {
            Origins =
            [
                .. applications.Where(application => application.InternalUrl is not null)
                    .SelectMany(application => application.AdditionalOrigins.Select(origin => CreateFacts(
                        application with { InternalUrl = new Uri(origin, application.InternalUrl!.PathAndQuery) }, origin))),
            ],
        };

        ApplicationFacts CreateFacts(ApplicationSettings application, Uri? origin) => new(account, application, user)
        {
            Backend = new BackendFacts(request, account, application, user, other),
            Origin = origin,
        };
    }

    /// <summary>Returns whether the check applies to the realm and to what was given.</summary>
    public async Task<bool> AppliesAsync(DoctorCheck check, CancellationToken cancellationToken)
    {
        if (check.Id == CheckIds.UserToken && _request.Token is null)
            return false;
        return !check.Needs.HasFlag(CheckNeeds.Directory)
            || (await Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Applies;
    }

    public IEnumerable<CheckSubject> GetSubjects(DoctorCheck check) => check.Scope switch
    {
        CheckScope.Application => (check.Stage == DoctorStage.Target ? Applications.Concat(Origins) : Applications)
            .Select(application => Create(check, User, application)),
        // There is one token, and it may map to no user.
        CheckScope.User when check.Id == CheckIds.UserToken => [Create(check, User, null)],
        CheckScope.User => new[] { User, OtherUser }.OfType<UserFacts>().Select(user => Create(check, user, null)),
        _ => [Create(check, User, null)],
    };

    /// <summary>Finds out whether the check can be made: nothing is in its way, the check explains the failure itself, or another check
    /// does.</summary>
    public async Task<Obstacle> FindObstacleAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var needs = subject.Check.Needs;
        if (needs.HasFlag(CheckNeeds.Address) && subject.Application!.Settings.InternalUrl is null)
            return Obstacle.Reason("The application has no InternalUrl.", isNoAnswer: false);
        if (needs.HasFlag(CheckNeeds.Kdc)
            && (await Account.GetKdcsAsync(cancellationToken).ConfigureAwait(false)).All(kdc => kdc.Answer is null))
            return Obstacle.Reason($"No KDC of {Account.Realm} answers (check {CheckIds.KdcTcp}).", isNoAnswer: true);
        if ((needs.HasFlag(CheckNeeds.LogOn) || subject.Check.Id == CheckIds.KeyFile || subject.Check.Id == CheckIds.KdcClock)
            && await Account.GetLogOnFailureAsync(cancellationToken).ConfigureAwait(false) is { } failure)
        {
            var responsible = FaultAttribution.OfLogOn(
                failure, await Account.IsAnsweringAsync(cancellationToken).ConfigureAwait(false));
            if (responsible == subject.Check.Id)
                return Obstacle.Explained(failure);
            if (needs.HasFlag(CheckNeeds.LogOn))
                return Obstacle.Reason($"The account cannot log on (check {responsible}).", failure.IsTransient);
        }
        if (needs.HasFlag(CheckNeeds.Directory)
            && (await Account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts is null)
            return Obstacle.Reason($"The directory cannot be asked (check {CheckIds.Directory}).", isNoAnswer: true);
        // A backend with this machine's clock refuses tickets of a KDC whose clock differs (RFC 4120 §3.2.3).
        if (subject.Check.Stage == DoctorStage.Target && needs.HasFlag(CheckNeeds.Ticket)
            && await Account.GetClockDifferenceAsync(cancellationToken).ConfigureAwait(false) >= ExchangeContext.AllowedSkew)
            return Obstacle.Reason($"The clocks differ by more than backends allow (check {CheckIds.KdcClock}).", isNoAnswer: false);
        return await FindRefusalAsync(subject, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Obstacle> FindRefusalAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var needs = subject.Check.Needs;
        if (!needs.HasFlag(CheckNeeds.Evidence) && !needs.HasFlag(CheckNeeds.Ticket))
            return Obstacle.None;
        var user = subject.Application?.User ?? subject.User;
        if (user is null)
        {
            return !needs.HasFlag(CheckNeeds.User) ? Obstacle.None : Obstacle.Reason(
                _request.Token is null ? "No user was given: --user USER." : $"The token maps to no user (check {CheckIds.UserToken}).",
                isNoAnswer: false);
        }
        var (evidence, refusal) = await user.GetEvidenceAsync(cancellationToken).ConfigureAwait(false);
        if (evidence is null)
        {
            var responsible = await FaultAttribution.FindAsync(refusal!, Account, user, OtherUser, null, cancellationToken)
                .ConfigureAwait(false);
            return responsible == subject.Check.Id ? Obstacle.Explained(refusal!)
                : Obstacle.Reason($"The KDC refuses a ticket for {user.Principal} (check {responsible}).", refusal!.IsTransient);
        }
        if (!needs.HasFlag(CheckNeeds.Ticket))
            return Obstacle.None;
        IEnumerable<ApplicationFacts> applications = subject.Application is { } one ? [one] : Applications;
        foreach (var application in applications)
        {
            if ((await user.GetTicketAsync(application.Service, cancellationToken).ConfigureAwait(false)).Failure is not { } refused)
                continue;
            var responsible = await FaultAttribution.FindAsync(refused, Account, user, OtherUser, application, cancellationToken)
                .ConfigureAwait(false);
            if (responsible == subject.Check.Id)
                return Obstacle.Explained(refused);
            if (subject.Application is not null)
                return Obstacle.Reason(
                    $"The KDC refuses a ticket to {application.ServiceName} (check {responsible}).", refused.IsTransient);
        }
        return Obstacle.None;
    }

    private CheckSubject Create(DoctorCheck check, UserFacts? user, ApplicationFacts? application) =>
        new(_request, check, Account, user, application, Applications);
}

/// <summary>The reason why a check is not made, or the failure that it explains.</summary>
/// <param name="Fault">The failure that the check itself explains, or null.</param>
/// <param name="Because">The reason why the check is skipped, or null.</param>
/// <param name="IsNoAnswer">Whether a server did not answer.</param>
internal sealed record Obstacle(KerberosException? Fault, string? Because, bool IsNoAnswer)
{
    public static readonly Obstacle None = new(null, null, false);

    public static Obstacle Explained(KerberosException fault) => new(fault, null, fault.IsTransient);

    public static Obstacle Reason(string because, bool isNoAnswer) => new(null, because, isNoAnswer);
}
